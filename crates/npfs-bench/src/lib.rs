//! Benchmarks of the kernel; see `benches/ratios.rs`. There is nothing to import here.

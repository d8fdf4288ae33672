//! Documented races, each as a model that loom, shuttle and npfs itself explore.
//!
//! One body, three engines. Plain `cargo test` runs it in every order of its calls, with real
//! threads that take turns. `RUSTFLAGS="--cfg loom" cargo test --release -p npfs --test models`
//! hands it to loom; `--cfg shuttle` to shuttle, at random and with PCT. Each engine must see
//! exactly the outcomes that the model names.

#[cfg(all(shuttle, not(loom)))]
mod crowds;
mod engine;
mod races;

//! Composite Win32 functions as programs over kernel calls.

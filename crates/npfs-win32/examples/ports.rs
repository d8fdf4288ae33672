//! `fixtures/win32/ports`, a program that knows windows-sys alone, linked to the surface: these are
//! all the lines that it takes.

use npfs_win32 as _;

#[path = "../../../fixtures/win32/ports/src/main.rs"]
mod program;

fn main() {
    program::main();
}

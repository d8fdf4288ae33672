//! npfs simulates the Windows named pipe file system, in this process, on every platform.
//!
//! The kernel is a value: [`kernel::Kernel::step`] takes one call of one simulated thread and
//! gives one answer and, in order, everything that the call caused. Nothing runs by itself, so
//! whoever drives it decides who comes next, and the same calls always give the same answers.
//!
//! ```
//! use npfs::abi::{Call, CreateFile, CreateNamedPipe, Delivery, Outcome, Output, Reply};
//! use npfs::kernel::Kernel;
//!
//! let mut kernel = Kernel::new();
//! let process = kernel.create_process(true);
//! let (server, client) = (kernel.create_thread(process), kernel.create_thread(process));
//! let mut caused = Vec::new();
//!
//! let mut handle = |outcome| match outcome {
//!     Outcome::Done(Reply { output: Output::Handle(handle), .. }) => handle,
//!     other => panic!("{other:?}"),
//! };
//! let create = Call::CreateNamedPipe(CreateNamedPipe::new(r"\\.\pipe\a"));
//! let s = handle(kernel.step(server, &create, &mut caused));
//! let open = Call::CreateFile(CreateFile::new(r"\\.\pipe\a"));
//! let c = handle(kernel.step(client, &open, &mut caused));
//!
//! // The server blocks in ReadFile; the client's WriteFile wakes it.
//! let read = Call::ReadFile { file: s, length: 64, delivery: Delivery::Return };
//! let Outcome::Blocked(request) = kernel.step(server, &read, &mut caused) else { panic!() };
//! let write = Call::WriteFile { file: c, data: "hello".into(), delivery: Delivery::Return };
//! kernel.step(client, &write, &mut caused);
//! assert_eq!(caused[0].request, request);
//! assert_eq!(caused[0].reply.output, Output::Data("hello".into()));
//! ```
#![no_std]
#![forbid(unsafe_code)]

pub use npfs_abi as abi;
pub use npfs_kernel as kernel;

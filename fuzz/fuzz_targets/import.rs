//! Arbitrary bytes as a log in every format: the trace can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use npfs_import::{About, Format, import};
use npfs_trace::Trace;

fuzz_target!(|log: &[u8]| {
    for (format, _) in Format::ALL {
        let imported = import(*format, log, &About::default());
        let text = imported.trace.write();
        let read = Trace::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, imported.trace);
    }
});

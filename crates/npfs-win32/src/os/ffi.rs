//! `std::os::windows::ffi`: strings as 16-bit units.
//!
//! Off Windows an [`OsStr`] is bytes. Units that are no UTF-16 survive a round trip: they are kept
//! in generalized UTF-8, as std keeps them on Windows. Bytes that are not even that become U+FFFD.

use std::ffi::{OsStr, OsString};

/// `std::os::windows::ffi::OsStrExt`
pub trait OsStrExt {
    /// The units of the string, without a terminator.
    fn encode_wide(&self) -> EncodeWide;
}

/// `std::os::windows::ffi::OsStringExt`
pub trait OsStringExt {
    /// The string of these units.
    fn from_wide(wide: &[u16]) -> Self;
}

/// The units of a string.
#[derive(Clone, Debug)]
pub struct EncodeWide(std::vec::IntoIter<u16>);

impl Iterator for EncodeWide {
    type Item = u16;
    fn next(&mut self) -> Option<u16> {
        self.0.next()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl std::iter::FusedIterator for EncodeWide {}

impl OsStrExt for OsStr {
    fn encode_wide(&self) -> EncodeWide {
        EncodeWide(units(self.as_encoded_bytes()).into_iter())
    }
}

impl OsStringExt for OsString {
    fn from_wide(wide: &[u16]) -> OsString {
        let mut string = OsString::with_capacity(wide.len());
        for unit in char::decode_utf16(wide.iter().copied()) {
            match unit {
                Ok(character) => string.push(character.encode_utf8(&mut [0; 4])),
                Err(lone) => push_lone(&mut string, lone.unpaired_surrogate()),
            }
        }
        string
    }
}

#[cfg(not(windows))]
fn push_lone(string: &mut OsString, unit: u16) {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = [0xED, 0x80 | ((unit >> 6) & 0x3F) as u8, 0x80 | (unit & 0x3F) as u8];
    string.push(OsString::from_vec(bytes.to_vec()));
}

#[cfg(windows)]
fn push_lone(string: &mut OsString, unit: u16) {
    string.push(<OsString as std::os::windows::ffi::OsStringExt>::from_wide(&[unit]));
}

/// Generalized UTF-8 as UTF-16.
fn units(mut bytes: &[u8]) -> Vec<u16> {
    let mut units = Vec::with_capacity(bytes.len());
    loop {
        let (good, rest) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (good, rest) = bytes.split_at(error.valid_up_to());
                (std::str::from_utf8(good).unwrap_or(""), rest)
            }
        };
        units.extend(good.encode_utf16());
        bytes = match *rest {
            [] => return units,
            [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ref rest @ ..] => {
                units.push(0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F));
                rest
            }
            [_, ref rest @ ..] => {
                units.push(0xFFFD);
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{OsStrExt, OsStringExt};
    use std::ffi::{OsStr, OsString};

    #[test]
    fn every_unit_survives() {
        let wide: Vec<u16> = (0..=u16::MAX).collect();
        let string = OsString::from_wide(&wide);
        assert!(string.encode_wide().eq(wide.iter().copied()));
        // A lone half in front of another, and a pair behind.
        let wide = [0xD800, 0xD800, 0xDC00, 0xDC00, 0x41];
        assert!(OsString::from_wide(&wide).encode_wide().eq(wide));
    }

    #[test]
    fn text_is_utf_16() {
        let wide: Vec<u16> = OsStr::new("pipe \u{e9} \u{1F600}").encode_wide().collect();
        assert_eq!(wide, "pipe \u{e9} \u{1F600}".encode_utf16().collect::<Vec<_>>());
        assert_eq!(OsString::from_wide(&wide), "pipe \u{e9} \u{1F600}");
    }
}

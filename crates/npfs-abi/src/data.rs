//! Payload bytes that are shared instead of copied.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::{Deref, Range};

/// Immutable payload bytes. A clone or a part of it shares the memory of the whole.
///
/// Compares, orders and hashes by content.
#[derive(Clone, Default)]
pub struct Data {
    /// `None` when empty: nothing is allocated for a message of 0 bytes.
    bytes: Option<Arc<[u8]>>,
    start: u32,
    end: u32,
}

impl Data {
    /// No bytes.
    pub const EMPTY: Data = Data { bytes: None, start: 0, end: 0 };

    /// The part of this payload in `range`, counted in bytes; bounds beyond the end are cut.
    #[must_use]
    pub fn part(&self, range: Range<u32>) -> Data {
        let len = self.end - self.start;
        let end = range.end.min(len);
        let start = range.start.min(end);
        if start == end {
            return Data::EMPTY;
        }
        Data { bytes: self.bytes.clone(), start: self.start + start, end: self.start + end }
    }

    /// Whether there are no bytes.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The number of bytes, as Windows counts them in a `u32`.
    #[must_use]
    #[inline]
    pub fn size(&self) -> u32 {
        self.end - self.start
    }
}

impl Deref for Data {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.bytes {
            None => &[],
            Some(bytes) => &bytes[self.start as usize..self.end as usize],
        }
    }
}

impl From<&[u8]> for Data {
    /// Copies `bytes`. More than `u32::MAX` bytes are cut, as no Windows call can pass them.
    fn from(bytes: &[u8]) -> Data {
        let bytes = &bytes[..bytes.len().min(u32::MAX as usize)];
        if bytes.is_empty() {
            return Data::EMPTY;
        }
        Data { bytes: Some(Arc::from(bytes)), start: 0, end: bytes.len() as u32 }
    }
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Data {
        Data::from(bytes.as_slice())
    }
}

impl<const N: usize> From<&[u8; N]> for Data {
    fn from(bytes: &[u8; N]) -> Data {
        Data::from(bytes.as_slice())
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Data {
        Data::from(text.as_bytes())
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Data) -> bool {
        **self == **other
    }
}
impl Eq for Data {}
impl PartialOrd for Data {
    fn partial_cmp(&self, other: &Data) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Data {
    fn cmp(&self, other: &Data) -> core::cmp::Ordering {
        (**self).cmp(&**other)
    }
}
impl Hash for Data {
    fn hash<S: Hasher>(&self, state: &mut S) {
        (**self).hash(state);
    }
}

impl fmt::Display for Data {
    /// `"text"` for printable ASCII, with `\"`, `\\`, `\n`, `\r`, `\t`, `\0` and `\xHH` for the rest;
    /// 32 or more equal bytes print as `"a"*5000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let repeated = self.len() >= 32 && self.iter().all(|byte| *byte == self[0]);
        let shown = if repeated { &self[..1] } else { &self[..] };
        f.write_char('"')?;
        for &byte in shown {
            match byte {
                b'"' => f.write_str("\\\"")?,
                b'\\' => f.write_str("\\\\")?,
                b'\n' => f.write_str("\\n")?,
                b'\r' => f.write_str("\\r")?,
                b'\t' => f.write_str("\\t")?,
                0 => f.write_str("\\0")?,
                b' '..=b'~' => f.write_char(char::from(byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        f.write_char('"')?;
        if repeated { write!(f, "*{}", self.len()) } else { Ok(()) }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "serde")]
mod with_serde {
    use super::Data;
    use alloc::string::String;
    use alloc::vec::Vec;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    /// `{"txt": …}` when every byte is printable ASCII, else `{"hex": …}`.
    #[derive(Serialize, Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(rename_all = "lowercase", deny_unknown_fields)]
    pub(super) enum Form {
        /// Printable ASCII, as it is.
        Txt(String),
        /// Two hexadecimal digits a byte.
        Hex(String),
    }

    impl Serialize for Data {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let printable = self.iter().all(|byte| (b' '..=b'~').contains(byte));
            let form = if printable {
                Form::Txt(self.iter().map(|&byte| char::from(byte)).collect())
            } else {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let digits = self.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                Form::Hex(digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect())
            };
            form.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for Data {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Data, D::Error> {
            match Form::deserialize(deserializer)? {
                Form::Txt(text) => Ok(Data::from(text.as_str())),
                Form::Hex(text) => {
                    let digits: Option<Vec<u8>> =
                        text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
                    match digits {
                        Some(digits) if digits.len() % 2 == 0 => Ok(Data::from(
                            digits
                                .chunks(2)
                                .map(|pair| pair[0] << 4 | pair[1])
                                .collect::<Vec<u8>>(),
                        )),
                        _ => Err(D::Error::custom("wanted an even number of hexadecimal digits")),
                    }
                }
            }
        }
    }

    #[cfg(feature = "schema")]
    impl schemars::JsonSchema for Data {
        fn schema_name() -> alloc::borrow::Cow<'static, str> {
            "Data".into()
        }
        fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
            Form::json_schema(generator)
        }
    }
}

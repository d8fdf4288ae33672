//! Win32 paths under `\\.\pipe\`.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::hash::{Hash, Hasher};

/// A path as a program passes it, read once.
///
/// Every text can be a `PipeName`, also one that no pipe can have: the kernel
/// answers such a path with the status Windows gives.
#[derive(Clone)]
pub struct PipeName {
    text: Arc<str>,
    target: Target,
}

/// What a path leads to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Target {
    /// A pipe of this machine: its name below the root, upcased, because NPFS compares names
    /// without regard to case (NAME-13, NAME-16).
    Pipe(Arc<str>),
    /// The root directory `\\.\pipe\`.
    Root,
    /// The device `\\.\pipe`.
    Device,
    /// A pipe reached over the network as `\\\\server\\pipe\\name` (OPEN-24).
    Remote {
        /// The server's name as it was written.
        server: Arc<str>,
        /// The upcased name of the pipe.
        pipe: Arc<str>,
    },
    /// A path outside the pipe file system.
    Elsewhere,
}

impl PipeName {
    /// Reads a Win32 path. `\\.\pipe\` and `\\?\pipe\` are the same place (NAME-15), in any
    /// case; the rest is one flat name in which every character counts (NAME-05 to NAME-12).
    pub fn new(path: &str) -> PipeName {
        let target = match strip_device(path) {
            None => remote(path).unwrap_or(Target::Elsewhere),
            Some("") => Target::Device,
            Some("\\") => Target::Root,
            Some(rest) => match rest.strip_prefix('\\') {
                Some(name) => Target::Pipe(upcased(name).into()),
                None => Target::Elsewhere,
            },
        };
        PipeName { text: path.into(), target }
    }

    /// The path as it was passed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it leads to.
    pub fn target(&self) -> &Target {
        &self.target
    }
}

/// `\\server\pipe\name`, where the server is neither `.` nor `?`.
fn remote(path: &str) -> Option<Target> {
    let (server, rest) = path.strip_prefix("\\\\")?.split_once('\\')?;
    let (head, name) = rest.split_at_checked(5)?;
    let good = !matches!(server, "" | "." | "?") && head.eq_ignore_ascii_case("pipe\\");
    (good && !name.is_empty())
        .then(|| Target::Remote { server: server.into(), pipe: upcased(name).into() })
}

fn strip_device(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("\\\\.\\").or_else(|| path.strip_prefix("\\\\?\\"))?;
    let (head, tail) = rest.split_at_checked(4)?;
    head.eq_ignore_ascii_case("pipe").then_some(tail)
}

/// One-to-one upper case, as the system table does it: a character whose upper case is
/// several characters stays as it is.
fn upcased(name: &str) -> String {
    name.chars()
        .map(|c| {
            let mut upper = c.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(single), None) => single,
                _ => c,
            }
        })
        .collect()
}

impl PartialEq for PipeName {
    fn eq(&self, other: &PipeName) -> bool {
        self.text == other.text
    }
}
impl Eq for PipeName {}
impl Hash for PipeName {
    fn hash<S: Hasher>(&self, state: &mut S) {
        self.text.hash(state);
    }
}
impl fmt::Display for PipeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl fmt::Debug for PipeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl From<&str> for PipeName {
    fn from(path: &str) -> PipeName {
        PipeName::new(path)
    }
}

#[cfg(feature = "serde")]
mod with_serde {
    use super::PipeName;
    use alloc::string::String;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    impl Serialize for PipeName {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(&self.text)
        }
    }
    impl<'de> Deserialize<'de> for PipeName {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PipeName, D::Error> {
            Ok(PipeName::new(&String::deserialize(deserializer)?))
        }
    }
    #[cfg(feature = "schema")]
    impl schemars::JsonSchema for PipeName {
        fn schema_name() -> alloc::borrow::Cow<'static, str> {
            "PipeName".into()
        }
        fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
            String::json_schema(generator)
        }
    }
}

//! Which Windows: switches where versions differ, where documents and measurements disagree, or
//! where a question is open.

use core::fmt;

macro_rules! switches {
    ($($(#[$doc:meta])* $variant:ident $word:literal $rules:literal $documented:literal;)+) => {
        /// One way in which a Windows, or a reading of its documents, differs from the default.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Switch { $($(#[$doc])* $variant),+ }

        impl Switch {
            /// Every switch, in the order of declaration.
            pub const ALL: &'static [Switch] = &[$(Switch::$variant),+];

            /// The word for it in scenarios.
            pub const fn word(self) -> &'static str {
                match self { $(Switch::$variant => $word),+ }
            }

            /// The rules and open questions that it turns.
            pub const fn rules(self) -> &'static str {
                match self { $(Switch::$variant => $rules),+ }
            }

            /// Whether [`Profile::documented`] has it.
            pub const fn is_documented(self) -> bool {
                match self { $(Switch::$variant => $documented),+ }
            }
        }
    };
}

switches! {
    /// DISCONNECT of a listening instance fails with PIPE_LISTENING, as in Wine.
    DisconnectRefusesListening "disconnect-refuses-listening" "OQ-01 DISC-09 STATE-07" false;
    /// Closing an end drops the data of its own stalled write, as in Wine.
    CloseDropsStalledWrite "close-drops-stalled-write" "OQ-02 CLOSE-06" false;
    /// A flush also waits for what is written after its start, as in Wine.
    FlushWaitsForLaterWrites "flush-waits-for-later-writes" "OQ-03 FLUSH-05" false;
    /// A byte-read with room left does not swallow an empty message behind data, as in Wine.
    TrailingEmptyMessageStays "trailing-empty-message-stays" "OQ-05 READ-14" false;
    /// A read of 0 bytes takes an empty message, as in Wine.
    ZeroReadTakesEmptyMessage "zero-read-takes-empty-message" "OQ-05 READ-13" false;
    /// A transact is accepted while an own read is pending, as in Wine.
    TransactBesideOwnRead "transact-beside-own-read" "OQ-06 TRANSACT-08" false;
    /// A cancelled write reports the bytes that were read of it.
    CancelledWriteCounts "cancelled-write-counts" "OQ-07 WRITE-17" false;
    /// FSCTL_PIPE_WAIT without a time-out waits for ever.
    WaitUnspecifiedForEver "wait-unspecified-for-ever" "OQ-09 WAIT-07" true;
    /// GetFileType does not take the lock of a synchronous file object.
    FileTypeWithoutLock "file-type-without-lock" "OQ-10 SYNC-09" false;
    /// CancelSynchronousIo also ends a wait for a file object's lock.
    CancelEndsLockWait "cancel-ends-lock-wait" "OQ-10 SYNC-17" false;
    /// A pending read of the own end does not hinder a switch to NOWAIT.
    NowaitBesideOwnRead "nowait-beside-own-read" "OQ-11 INFO-34" false;
    /// A peek into less than 16 bytes fails with INFO_LENGTH_MISMATCH, as in Wine.
    ShortPeekMismatch "short-peek-mismatch" "OQ-12 PEEK-18" false;
    /// A peek does not change the client context.
    PeekKeepsContext "peek-keeps-context" "OQ-13 PEEK-22" false;
    /// CreatePipe gives its pipe a name.
    AnonymousPipesNamed "anonymous-pipes-named" "OQ-14 ANON-07" false;
    /// An open looks for a listening instance before the direction, as in Wine.
    AvailabilityFirst "availability-first" "OQ-15 OPEN-12" false;
    /// A refused LISTEN drops the client context too, as in ReactOS.
    RefusedListenDropsContext "refused-listen-drops-context" "OQ-16 CONNECT-23" false;
    /// A pipe cannot be called `\`: Windows 2003.
    BackslashNameInvalid "backslash-name-invalid" "OQ-17 NAME-04" false;
    /// A surviving client still counts its closed server: Windows XP and 2003.
    ClosedServerCounts "closed-server-counts" "OQ-18 STATE-42" false;
    /// The first directory query that finds nothing gives NO_MORE_FILES.
    EmptyListNoMoreFiles "empty-list-no-more-files" "OQ-19 DIR-05" false;
    /// A new listening instance releases only the oldest waiter.
    WaitReleasesOne "wait-releases-one" "OQ-20 WAIT-13" false;
    /// With a port and no event, the status block is written when the packet is removed.
    StatusBlockOnRemoval "status-block-on-removal" "OQ-21 IOCP-26 CON-21" true;
    /// A 0-byte write on a byte pipe ends a read that waits on a synchronous handle.
    ZeroWriteWakesSyncRead "zero-write-wakes-sync-read" "OQ-22 WRITE-07" false;
    /// A transact on a NOWAIT end fails with PIPE_EMPTY instead of waiting for the reply.
    NowaitTransactFails "nowait-transact-fails" "OQ-24 TRANSACT-19" false;
    /// Collection values of a local client are accepted and ignored.
    LocalCollectionIgnored "local-collection-ignored" "OQ-28 INFO-32" false;
    /// A client's WriteQuotaAvailable counts down from the outbound quota, as in ReactOS.
    ClientQuotaOutbound "client-quota-outbound" "OQ-29 INFO-56" false;
    /// A nonblocking write on a byte pipe writes what fits.
    NowaitWritesPart "nowait-writes-part" "CON-15 WRITE-30" true;
    /// The bytes left in the message are 0 on a byte pipe.
    PeekLeftZero "peek-left-zero" "PEEK-11" true;
    /// A later instance must have the parameters of the first.
    InstancesMustMatch "instances-must-match" "CON-08 CREATE-41" true;
    /// The first nonblocking connect after a disconnect succeeds.
    FirstNowaitConnectSucceeds "first-nowait-connect-succeeds" "CONNECT-14" true;
    /// A pipe's name has no backslash, apart from the one behind LOCAL.
    NoBackslashInNames "no-backslash-in-names" "CON-10 NAME-06" true;
    /// The whole path has at most 256 characters.
    PathLimit256 "path-limit-256" "NAME-23" true;
    /// WaitNamedPipe waits for a pending ConnectNamedPipe, not only for a listening instance.
    WaitNeedsConnect "wait-needs-connect" "CON-01 WAIT-02" true;
    /// Buffer sizes are rounded up to pages of 4096 bytes.
    QuotasRoundUp "quotas-round-up" "QUOTA-01 CREATE-48" true;
    /// A 0-byte message-read with data there succeeds: before Windows 8.
    ZeroReadSucceeds "zero-read-succeeds" "READ-23" false;
    /// Calls that are over at once say so, and post no packet: before Windows 8.
    DirectStatus "direct-status" "TRANSACT-18 PEEK-20 IOCP-07 IOCP-08 EVENT-30" false;
    /// A server handle without data access listens from the start: up to Windows 8.
    NoAccessListens "no-access-listens" "CREATE-25" false;
    /// Impersonation works before anything was read: Windows 2003.
    ImpersonateBeforeRead "impersonate-before-read" "IMP-01" false;
    /// A client gets the listening instance that was created first: before Vista.
    OldestInstanceFirst "oldest-instance-first" "CONNECT-17" false;
}

/// A set of [`Switch`]es. The default, with none of them, is current Windows as measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Profile(u64);

impl Profile {
    /// Current Windows, as tests and reports have measured it; the proposals of the sheets where
    /// they are silent.
    pub const fn current() -> Profile {
        Profile(0)
    }

    /// Microsoft's documentation to the letter, also where measurements contradict it.
    pub const fn documented() -> Profile {
        let mut profile = Profile(0);
        let mut at = 0;
        while at < Switch::ALL.len() {
            if Switch::ALL[at].is_documented() {
                profile = profile.with(Switch::ALL[at]);
            }
            at += 1;
        }
        profile
    }

    /// This profile with a switch on.
    #[must_use]
    pub const fn with(self, switch: Switch) -> Profile {
        Profile(self.0 | 1 << switch as u64)
    }

    /// This profile with a switch off.
    #[must_use]
    pub const fn without(self, switch: Switch) -> Profile {
        Profile(self.0 & !(1 << switch as u64))
    }

    /// Whether a switch is on.
    pub const fn has(self, switch: Switch) -> bool {
        self.0 & 1 << switch as u64 != 0
    }

    /// The switches that are on, in order.
    pub fn switches(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.iter().copied().filter(move |switch| self.has(*switch))
    }
}

impl Switch {
    /// The switch with this word.
    pub fn from_word(word: &str) -> Option<Switch> {
        Switch::ALL.iter().copied().find(|switch| switch.word() == word)
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.switches()).finish()
    }
}

#[cfg(feature = "serde")]
mod with_serde {
    use super::{Profile, Switch};
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    impl Serialize for Profile {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(self.switches().map(Switch::word))
        }
    }
    impl<'de> Deserialize<'de> for Profile {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Profile, D::Error> {
            Vec::<String>::deserialize(deserializer)?.iter().try_fold(
                Profile::current(),
                |profile, word| match Switch::from_word(word) {
                    Some(switch) => Ok(profile.with(switch)),
                    None => Err(D::Error::custom(format!("`{word}` is no switch of a profile"))),
                },
            )
        }
    }
    #[cfg(feature = "schema")]
    impl schemars::JsonSchema for Profile {
        fn schema_name() -> alloc::borrow::Cow<'static, str> {
            "Profile".into()
        }
        fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
            Vec::<String>::json_schema(generator)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Profile, Switch};

    #[test]
    fn switches_are_told_apart() {
        assert!(Switch::ALL.len() <= 64);
        for (place, switch) in Switch::ALL.iter().enumerate() {
            assert_eq!(*switch as usize, place);
            assert_eq!(Switch::from_word(switch.word()), Some(*switch));
            let profile = Profile::current().with(*switch);
            assert!(profile.switches().eq([*switch]));
            assert_eq!(profile.without(*switch), Profile::current());
        }
        assert!(Profile::documented().has(Switch::PeekLeftZero));
        assert!(!Profile::documented().has(Switch::ZeroReadSucceeds));
    }
}

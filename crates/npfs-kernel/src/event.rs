//! Event objects.

/// An event. Waits and completions are the only ones to care.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Event {
    /// `NotificationEvent`: stays signaled until it is reset. Else one satisfied wait resets it.
    pub(crate) manual: bool,
    pub(crate) signaled: bool,
    /// Handles and pending requests that keep it alive.
    pub(crate) references: u32,
}

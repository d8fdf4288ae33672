//! From the words of files to the numbers of the kernel.

use npfs_abi::{Handle, Names, Op, RequestId};
use npfs_trace::scenario::Word;

/// What words mean at this point of a run.
pub(crate) trait Meanings {
    /// The handle a word names.
    fn handle(&self, word: &Word) -> Handle;
    /// The request a word names.
    fn request(&self, word: &Word) -> RequestId;
}

struct Numbers<'a>(&'a dyn Meanings);

impl Names<Word, Word> for Numbers<'_> {
    type Handle = Handle;
    type Request = RequestId;
    fn handle(&mut self, word: &Word) -> Handle {
        self.0.handle(word)
    }
    fn request(&mut self, word: &Word) -> RequestId {
        self.0.request(word)
    }
}

/// `op` with every word replaced by what it means.
pub(crate) fn op(op: &Op<Word, Word>, words: &dyn Meanings) -> Op {
    op.map(&mut Numbers(words))
}

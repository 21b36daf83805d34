//! A long text is not tokenized whole when its beginning already fills the maximum length.
//!
//! The crate normalizes and splits the whole text before it truncates: a megabyte costs most of a second for ids that
//! are thrown away. For the BERT family a text may be cut before white space, some punctuation marks and Han characters
//! without changing the ids before the cut: the normalizer works on single characters (canonical decomposition moves
//! marks only after their own base character), the splitter always splits there, and no added token reaches across. So
//! the ids of the beginning are the beginning of the ids, and once they fill the maximum length the rest cannot matter.
//! A text without such a place, or a tokenizer of another kind, is tokenized whole: time grows linearly.

use tokenizers::{ModelWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

/// Where a text may be cut for one tokenizer.
pub struct Cuts {
    anywhere: bool,
    han: bool,
}

fn is_mark(c: char) -> bool {
    matches!(
        c,
        ' ' | '\n' | '\t' | '\r' | '.' | ',' | ';' | ':' | '!' | '?' | '\u{3001}' | '\u{3002}' | '\u{ff0c}'
    )
}

impl Cuts {
    pub fn new(tokenizer: &Tokenizer) -> Self {
        let known = |n: &NormalizerWrapper| {
            matches!(n, NormalizerWrapper::BertNormalizer(_) | NormalizerWrapper::Lowercase(_))
        };
        let spaces_han = |n: &NormalizerWrapper| matches!(n, NormalizerWrapper::BertNormalizer(b) if b.handle_chinese_chars);
        let (normalizer, han) = match tokenizer.get_normalizer() {
            None => (true, false),
            Some(NormalizerWrapper::Sequence(sequence)) => {
                (sequence.as_ref().iter().all(known), sequence.as_ref().iter().any(spaces_han))
            }
            Some(n) => (known(n), spaces_han(n)),
        };
        let added = tokenizer.get_added_tokens_decoder();
        let anywhere = normalizer
            && matches!(tokenizer.get_model(), ModelWrapper::WordPiece(_))
            && matches!(tokenizer.get_pre_tokenizer(), Some(PreTokenizerWrapper::BertPreTokenizer(_)))
            && added
                .values()
                .all(|t| !t.single_word && t.content.chars().all(|c| c.is_ascii_graphic() && !is_mark(c)));
        Self { anywhere, han }
    }

    /// Ends of beginnings worth trying before the whole text, each several times the last. The first is about what
    /// English needs to fill `max_length`.
    pub fn ends<'a>(&'a self, text: &'a str, max_length: usize) -> impl Iterator<Item = usize> + 'a {
        let is_cut = |c: char| is_mark(c) || (self.han && ('\u{4e00}'..='\u{9fff}').contains(&c));
        let first = max_length.saturating_mul(8).saturating_add(256);
        std::iter::successors(Some(first), |size| size.checked_mul(4))
            .take_while(|size| self.anywhere && *size < text.len() / 2)
            .filter_map(move |size| {
                let mut size = size;
                while !text.is_char_boundary(size) {
                    size -= 1;
                }
                text[..size].char_indices().rev().find(|(_, c)| is_cut(*c)).map(|(at, _)| at)
            })
            .filter(|end| *end > 0)
    }
}

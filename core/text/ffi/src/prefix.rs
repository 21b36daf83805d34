//! Where a long text may be cut by tokenizers other than BERT's.
//!
//! Those that split at blanks give a word the same ids whatever comes behind it, so a text may be cut before a single
//! blank between two characters that nothing combines with: the ids of the beginning are the beginning of the ids, and
//! once they fill the maximum length the rest cannot matter. A text without such a place, or a tokenizer of another
//! kind, is tokenized whole: time and memory grow with its length, as they do with one word.

use tokenizers::{
    ModelWrapper, NormalizedString, Normalizer, NormalizerWrapper, PreTokenizerWrapper, Tokenizer,
};

/// Whether texts may be cut.
pub struct Cuts {
    before_blanks: bool,
}

/// Letters and signs that no normalizer joins with a blank, of scripts without prefixes or marks among them.
fn stands_alone(c: char) -> bool {
    c.is_ascii_graphic()
        || (c.is_alphabetic()
            && matches!(c,
                '\u{c0}'..='\u{24f}' | '\u{388}'..='\u{3ff}' | '\u{400}'..='\u{481}' | '\u{531}'..='\u{587}'
                | '\u{5d0}'..='\u{5ea}' | '\u{620}'..='\u{64a}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}'
                | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'))
}

fn normalizes_apart(normalizer: &NormalizerWrapper) -> bool {
    match normalizer {
        NormalizerWrapper::Sequence(all) => all.as_ref().iter().all(normalizes_apart),
        // Of what replaces anything only that of several blanks by one is known.
        NormalizerWrapper::Replace(_) => serde_json::to_value(normalizer)
            .is_ok_and(|json| json["pattern"]["Regex"] == " {2,}" && json["content"] == " "),
        NormalizerWrapper::BertNormalizer(_)
        | NormalizerWrapper::Lowercase(_)
        | NormalizerWrapper::StripAccents(_)
        | NormalizerWrapper::NFC(_)
        | NormalizerWrapper::NFD(_)
        | NormalizerWrapper::NFKC(_)
        | NormalizerWrapper::NFKD(_)
        | NormalizerWrapper::Nmt(_)
        | NormalizerWrapper::Precompiled(_) => true,
        _ => false,
    }
}

/// Whether each word goes its own way from here on, and nothing is put together again.
fn splits_at_blanks(splitter: &PreTokenizerWrapper) -> bool {
    match splitter {
        PreTokenizerWrapper::Sequence(all) => {
            let rest = |p: &PreTokenizerWrapper| {
                matches!(p, PreTokenizerWrapper::Punctuation(_) | PreTokenizerWrapper::Digits(_))
                    || splits_at_blanks(p)
            };
            all.as_ref().first().is_some_and(splits_at_blanks) && all.as_ref().iter().all(rest)
        }
        PreTokenizerWrapper::Metaspace(m) => m.split,
        PreTokenizerWrapper::ByteLevel(b) => b.use_regex,
        PreTokenizerWrapper::WhitespaceSplit(_)
        | PreTokenizerWrapper::Whitespace(_)
        | PreTokenizerWrapper::BertPreTokenizer(_) => true,
        _ => false,
    }
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic())
}

impl Cuts {
    pub fn new(tokenizer: &Tokenizer) -> Self {
        let normalizer = tokenizer.get_normalizer();
        // What an added token is looked for as has no blank either.
        let stays_plain = |content: &str| {
            let mut text = NormalizedString::from(content);
            normalizer.map_or(true, |n| n.normalize(&mut text).is_ok()) && is_plain(text.get())
        };
        let model = match tokenizer.get_model() {
            ModelWrapper::BPE(bpe) => bpe.dropout.is_none(),
            _ => true,
        };
        let before_blanks = model
            && normalizer.map_or(true, normalizes_apart)
            && tokenizer.get_pre_tokenizer().is_some_and(splits_at_blanks)
            && tokenizer.get_added_tokens_decoder().values().all(|t| {
                !t.single_word && is_plain(&t.content) && (!t.normalized || stays_plain(&t.content))
            });
        Self { before_blanks }
    }

    /// Ends of beginnings worth trying before the whole text, each several times the last. The first is about what
    /// English needs to fill `max_length`.
    pub fn ends<'a>(&'a self, text: &'a str, max_length: usize) -> impl Iterator<Item = usize> + 'a {
        let first = max_length.saturating_mul(8).saturating_add(256);
        std::iter::successors(Some(first), |size| size.checked_mul(4))
            .take_while(|size| self.before_blanks && *size < text.len() / 2)
            .filter_map(move |size| {
                let mut size = size;
                while !text.is_char_boundary(size) {
                    size -= 1;
                }
                let alone = |c: Option<char>| c.is_some_and(stands_alone);
                text[..size]
                    .rmatch_indices(' ')
                    .map(|(at, _)| at)
                    .find(|at| alone(text[..*at].chars().next_back()) && alone(text[at + 1..].chars().next()))
            })
            .filter(|end| *end > 0)
    }
}

//! The beginning of a long text, made short: as much as fills the maximum length, with the same ids.
//!
//! The crate normalizes and splits the whole text before it truncates: a megabyte costs most of a second, and sixty
//! times its memory, for ids that are thrown away. For the BERT family the ids of a text are known to stay as they are
//! where
//! - white space is followed by more white space, or by characters that normalize to nothing: these are left out;
//! - of characters that normalize to nothing all but the first are left out: one stays, so that no added token comes to
//!   be where none was;
//! - a word has more characters than the model looks at: it is the unknown token whatever is in it, so all but its
//!   beginning and its end are left out, where an added token may reach into it;
//! - the text is cut before white space, or before a character that is a token of its own and no part of an added one
//!   that began before it.
//!
//! The normalizer works on single characters (canonical decomposition moves marks only, and all but a few of those are
//! taken away: a text is not followed beyond one of the few), the splitter splits at white space and punctuation, and no
//! added token has white space in it. So once the ids of the beginning fill the maximum length, the rest cannot matter.
//! What a character does is found by asking the crate, once for each.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::OnceLock;
use tokenizers::normalizers::NFD;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    ModelWrapper, NormalizedString, Normalizer, NormalizerWrapper, OffsetReferential, OffsetType,
    PreTokenizedString, PreTokenizer, PreTokenizerWrapper, Tokenizer,
};

/// What becomes of a character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Class {
    Unknown,
    Word,    // part of a word
    Nothing, // taken away
    Space,   // ends a word
    Mark,    // a token of its own, in no added token
    Sign,    // the same, but maybe in an added token
    Other,   // none of these alone
    Moves,   // may change places with others
}

const CLASSES: [Class; 8] = [
    Class::Unknown,
    Class::Word,
    Class::Nothing,
    Class::Space,
    Class::Mark,
    Class::Sign,
    Class::Other,
    Class::Moves,
];

const PAGE: usize = 256;

/// The beginning of a text.
pub enum Beginning {
    Whole(String), // with all ids of the text
    Part(String),  // with the first of them
    Last(String),  // the same, and no longer one can be told
}

pub struct Condenser {
    pages: Vec<OnceLock<Box<[AtomicU8]>>>, // classes of characters that were asked for
    decomposes: bool,
    in_added: [bool; 128],
    follows: Vec<bool>, // [128, 128]: in an added token, of the first character the second
    longest_added: usize,
    longest_word: usize, // characters of a word that the model looks at; usize::MAX: not known
}

impl Condenser {
    /// None where the tokenizer is not of the family.
    pub fn new(tokenizer: &Tokenizer, longest_word: Option<usize>) -> Option<Self> {
        let normalizers: Vec<&NormalizerWrapper> = match tokenizer.get_normalizer() {
            None => Vec::new(),
            Some(NormalizerWrapper::Sequence(all)) => all.as_ref().iter().collect(),
            Some(one) => vec![one],
        };
        let known = |n: &&NormalizerWrapper| {
            matches!(n, NormalizerWrapper::BertNormalizer(_) | NormalizerWrapper::Lowercase(_))
        };
        let decomposes = |n: &&NormalizerWrapper| matches!(n, NormalizerWrapper::BertNormalizer(b) if b.strip_accents.unwrap_or(b.lowercase));
        let family = normalizers.iter().all(known)
            && matches!(tokenizer.get_model(), ModelWrapper::WordPiece(_))
            && matches!(tokenizer.get_pre_tokenizer(), Some(PreTokenizerWrapper::BertPreTokenizer(_)));
        if !family {
            return None;
        }
        let mut made = Self {
            pages: (0..=char::MAX as usize / PAGE).map(|_| OnceLock::new()).collect(),
            decomposes: normalizers.iter().any(decomposes),
            in_added: [false; 128],
            follows: vec![false; 128 * 128],
            longest_added: 0,
            longest_word: longest_word.unwrap_or(usize::MAX),
        };
        let added = tokenizer.get_added_tokens_decoder();
        for token in added.values() {
            if token.single_word || !token.content.chars().all(|c| c.is_ascii_graphic()) {
                return None;
            }
            for c in token.content.chars() {
                made.in_added[c.to_ascii_lowercase() as usize] = true;
                made.in_added[c.to_ascii_uppercase() as usize] = true;
            }
            for pair in token.content.as_bytes().windows(2) {
                made.follows[place_of_pair(pair[0], pair[1])] = true;
            }
            made.longest_added = made.longest_added.max(token.content.len());
        }
        // One that is a word could stand anywhere inside a long one.
        if added.values().any(|t| t.content.chars().all(|c| made.class(tokenizer, c) == Class::Word)) {
            made.longest_word = usize::MAX;
        }
        Some(made)
    }

    /// Goes on until `units` words and marks are complete; each of them gives a token, but for those that are parts of
    /// an added one.
    pub fn beginning(&self, tokenizer: &Tokenizer, text: &str, units: usize) -> Beginning {
        // Of a word that is too long: all of these and one more are the unknown token, wherever an added token begins.
        let head = self.longest_word.saturating_add(self.longest_added).saturating_add(1);
        let tail = 2 * self.longest_added + 2; // every second one may be taken away
        let mut out = String::new();
        let mut end = VecDeque::new(); // of such a word
        let mut cut = None; // the last place where the text may end
        let (mut complete, mut in_word) = (0usize, 0usize);
        let (mut last, mut last_char) = (Class::Other, '\0');
        for c in text.chars() {
            let class = self.class(tokenizer, c);
            match class {
                Class::Space if last == Class::Space => continue,
                Class::Nothing if last == Class::Space || last == Class::Nothing => continue,
                Class::Moves => {
                    out.truncate(cut.unwrap_or(0));
                    return Beginning::Last(out);
                }
                Class::Word | Class::Nothing if in_word >= head => {
                    end.push_back(c);
                    if end.len() > tail {
                        end.pop_front();
                    }
                    (last, last_char) = (class, c);
                    continue;
                }
                Class::Word => {
                    if in_word == 0 {
                        complete += 1;
                    }
                    in_word += 1;
                }
                Class::Nothing => {}
                _ => {
                    out.extend(end.drain(..));
                    in_word = 0;
                    if self.ends_before(class, last_char, c) {
                        if complete >= units {
                            return Beginning::Part(out);
                        }
                        cut = Some(out.len());
                    }
                    if class != Class::Space {
                        complete += 1;
                    }
                }
            }
            out.push(c);
            (last, last_char) = (class, c);
        }
        out.extend(end);
        Beginning::Whole(out)
    }

    fn ends_before(&self, class: Class, before: char, c: char) -> bool {
        match class {
            Class::Space | Class::Mark => true,
            // No added token has both, in whatever case.
            Class::Sign => {
                before.is_ascii_graphic()
                    && c.is_ascii()
                    && !self.follows[place_of_pair(before as u8, c as u8)]
            }
            _ => false,
        }
    }

    fn class(&self, tokenizer: &Tokenizer, c: char) -> Class {
        let at = c as usize;
        let page = self.pages[at / PAGE].get_or_init(|| (0..PAGE).map(|_| AtomicU8::new(0)).collect());
        let place = &page[at % PAGE];
        match CLASSES[place.load(Ordering::Relaxed) as usize] {
            Class::Unknown => {
                let class = self.ask(tokenizer, c);
                place.store(class as u8, Ordering::Relaxed); // whoever asks gets the same
                class
            }
            class => class,
        }
    }

    fn ask(&self, tokenizer: &Tokenizer, c: char) -> Class {
        let mut text = NormalizedString::from(c.to_string());
        if tokenizer.get_normalizer().is_some_and(|n| n.normalize(&mut text).is_err()) {
            return Class::Moves;
        }
        let normalized: Vec<char> = text.get().chars().collect();
        if self.decomposes && normalized.iter().any(|d| is_moved(*d)) {
            return Class::Moves;
        }
        let splits: Vec<usize> = normalized.iter().map(|d| splits_around(*d)).collect();
        let is_in_added = |d: &char| d.is_ascii() && self.in_added[*d as usize];
        match splits.first() {
            None => Class::Nothing,
            Some(_) if splits.iter().all(|n| *n == IN_WORD) => Class::Word,
            Some(_) if splits.iter().all(|n| *n == SPACE) => Class::Space,
            Some(&IN_WORD) => Class::Other,
            Some(_) if is_in_added(&c) || normalized.iter().any(is_in_added) => Class::Sign,
            Some(_) => Class::Mark,
        }
    }
}

fn place_of_pair(first: u8, second: u8) -> usize {
    first.to_ascii_lowercase() as usize * 128 + second.to_ascii_lowercase() as usize
}

const IN_WORD: usize = 1;
const SPACE: usize = 2;

/// Into how many the splitter splits a word that has this character in its middle.
fn splits_around(c: char) -> usize {
    let mut text = PreTokenizedString::from(format!("a{c}a"));
    match BertPreTokenizer.pre_tokenize(&mut text) {
        Ok(()) => text.get_splits(OffsetReferential::Normalized, OffsetType::Byte).len(),
        Err(_) => usize::MAX,
    }
}

/// Whether decomposition moves it: the highest of all combining classes is that of U+0345, which others come before.
fn is_moved(c: char) -> bool {
    const LAST: char = '\u{345}';
    let mut text = NormalizedString::from(format!("{LAST}{c}"));
    c == LAST || NFD.normalize(&mut text).is_err() || !text.get().starts_with(LAST)
}

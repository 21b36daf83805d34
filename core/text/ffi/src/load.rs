//! A tokenizer.json made ready to encode.

use crate::condense::{Beginning, Condenser};
use crate::prefix::Cuts;
use ahash::AHashMap;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::Deserialize;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{Lowercase, Sequence};
use tokenizers::{
    AddedToken, Encoding, Model, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, Tokenizer,
    TruncationDirection, TruncationParams, TruncationStrategy,
};

pub struct Loaded {
    tokenizer: Tokenizer,
    max_length: usize,
    condenser: Option<Condenser>,
    cuts: Cuts,
    pub vocab_size: u32,
}

impl Loaded {
    pub fn new(json: &[u8], max_length: usize, lower_case: bool) -> Result<Self, String> {
        let (mut tokenizer, model_size, longest_word) = read(json)?;
        if lower_case {
            add_lower_case(&mut tokenizer)?;
        }
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|e| e.to_string())?;
        let special = tokenizer.encode_fast("", true).map_err(|e| e.to_string())?;
        if max_length <= special.len() {
            return Err(format!(
                "a maximum length of {max_length} leaves no room for text beside {} special tokens",
                special.len()
            ));
        }
        // An id out of the vocabulary can also come from an added token or from the post-processor's own list.
        let added = tokenizer.get_added_vocabulary().get_vocab().values().max();
        let largest = special.get_ids().iter().max().max(added).copied();
        let vocab_size = model_size.max(largest.map_or(0, |id| id.saturating_add(1)));
        tokenizer
            .with_truncation(Some(TruncationParams {
                direction: TruncationDirection::Right,
                max_length,
                strategy: TruncationStrategy::LongestFirst,
                stride: 0,
            }))
            .map_err(|e| e.to_string())?;
        let condenser = Condenser::new(&tokenizer, longest_word);
        let cuts = Cuts::new(&tokenizer);
        Ok(Self { tokenizer, max_length, condenser, cuts, vocab_size })
    }

    pub fn encode(&self, text: &str) -> Result<Encoding, String> {
        let encode = |part: &str| self.tokenizer.encode_fast(part, true).map_err(|e| e.to_string());
        // A short text costs less than to look at it twice.
        if let Some(condenser) = self.condenser.as_ref().filter(|_| text.len() / 16 > self.max_length) {
            let mut units = self.max_length;
            loop {
                let (short, last) = match condenser.beginning(&self.tokenizer, text, units) {
                    Beginning::Whole(short) => return encode(&short),
                    Beginning::Part(short) => (short, false),
                    Beginning::Last(short) => (short, true),
                };
                let encoding = encode(&short)?;
                if encoding.len() == self.max_length {
                    return Ok(encoding);
                }
                if last {
                    return encode(text);
                }
                units = units.saturating_mul(4);
            }
        }
        for end in self.cuts.ends(text, self.max_length) {
            let encoding = encode(&text[..end])?;
            if encoding.len() == self.max_length {
                return Ok(encoding);
            }
        }
        encode(text)
    }
}

/// The reference puts the crate's Lowercase before the file's normalizer unless that already holds one (the `lowercase`
/// of a BertNormalizer does not count for it).
fn add_lower_case(tokenizer: &mut Tokenizer) -> Result<(), String> {
    let mut all = vec![NormalizerWrapper::Lowercase(Lowercase)];
    match tokenizer.get_normalizer().cloned() {
        Some(NormalizerWrapper::Lowercase(_)) => return Ok(()),
        Some(NormalizerWrapper::Sequence(sequence)) => {
            if sequence.as_ref().iter().any(|n| matches!(n, NormalizerWrapper::Lowercase(_))) {
                return Ok(());
            }
            all.extend(sequence.as_ref().iter().cloned());
        }
        Some(other) => all.push(other),
        None => {}
    }
    tokenizer.with_normalizer(Some(Sequence::new(all))).map_err(|e| e.to_string())?;
    Ok(())
}

/// The tokenizer, one more than the largest id of its model, and how many characters of a word it looks at where that is
/// known. A WordPiece file is read straight into its vocabulary;
/// the crate's own reader, which buffers the whole model to find out its type, takes several times as long and is left
/// the other models and the explaining of broken files.
fn read(json: &[u8]) -> Result<(Tokenizer, u32, Option<usize>), String> {
    if let Ok(file) = serde_json::from_slice::<WordPieceFile>(json) {
        return file.build();
    }
    let tokenizer = Tokenizer::from_bytes(json).map_err(|e| e.to_string())?;
    let largest = tokenizer.get_vocab(false).into_values().max();
    Ok((tokenizer, largest.map_or(0, |id| id.saturating_add(1)), None))
}

#[derive(Deserialize)]
struct WordPieceFile {
    version: Option<Version>,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: Option<PreTokenizerWrapper>,
    post_processor: Option<PostProcessorWrapper>,
    model: WordPieceModel,
}

#[derive(Deserialize)]
enum Version {
    #[serde(rename = "1.0")]
    One,
}

#[derive(Deserialize)]
enum WordPieceType {
    WordPiece,
}

#[derive(Deserialize)]
struct WordPieceModel {
    #[serde(rename = "type")]
    _type: WordPieceType,
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
    vocab: Vocab,
}

struct Vocab {
    ids: AHashMap<String, u32>,
    size: u32,
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Vocab;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a vocabulary of tokens and ids")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
                let mut vocab = Vocab { ids: AHashMap::with_capacity(1 << 15), size: 0 };
                while let Some((token, id)) = map.next_entry::<String, u32>()? {
                    vocab.size = vocab.size.max(id.saturating_add(1));
                    vocab.ids.insert(token, id);
                }
                Ok(vocab)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl WordPieceFile {
    fn build(self) -> Result<(Tokenizer, u32, Option<usize>), String> {
        let _ = self.version;
        let size = self.model.vocab.size;
        let longest_word = self.model.max_input_chars_per_word;
        let model = WordPiece::builder()
            .vocab(self.model.vocab.ids)
            .unk_token(self.model.unk_token)
            .continuing_subword_prefix(self.model.continuing_subword_prefix)
            .max_input_chars_per_word(self.model.max_input_chars_per_word)
            .build()
            .map_err(|e| e.to_string())?;
        if model.token_to_id(&model.unk_token).is_none() {
            return Err(format!("the vocabulary lacks its unknown token {:?}", model.unk_token));
        }
        let mut tokenizer = Tokenizer::new(model);
        tokenizer.with_normalizer(self.normalizer).map_err(|e| e.to_string())?;
        tokenizer.with_pre_tokenizer(self.pre_tokenizer);
        tokenizer.with_post_processor(self.post_processor);
        tokenizer.add_tokens(self.added_tokens).map_err(|e| e.to_string())?;
        Ok((tokenizer, size, Some(longest_word)))
    }
}

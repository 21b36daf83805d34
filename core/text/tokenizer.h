// Text to token ids, by the Hugging Face tokenizers crate behind a small C interface (ffi/).
//
// Rules: a Tokenizer is immutable and every method may be called from any thread at once. The
// tokenizer.json's own padding and truncation are switched off: truncation is `max_length`'s alone (special
// tokens included), padding does not exist in hone. Text must be valid UTF-8: the readers check it and name
// the row; here it is an Error without one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hone::text {

struct TokenizerOptions {
  int32_t max_length = 512;  // tokens, special tokens included; longer texts are truncated on the right
  // sentence_bert_config.json: lower-case before the file's own normalizer, character by character (as the
  // crate's Lowercase does, which the reference puts there), unless a Lowercase is among its normalizers
  // already.
  bool do_lower_case = false;
};

class Tokenizer {
 public:
  // `folder` holds tokenizer.json. Throws Error naming the file when it is missing or broken.
  static std::shared_ptr<const Tokenizer> load(const std::filesystem::path& folder,
                                               const TokenizerOptions& options);
  // The same tokenizer.json with other options; shares nothing mutable.
  std::shared_ptr<const Tokenizer> with_options(const TokenizerOptions& options) const;
  ~Tokenizer();

  // Ids with special tokens ([CLS] ... [SEP]), at least one and at most max_length of them. Of a long text
  // only as much is tokenized as fills max_length (where that is known to be exact: see ffi/src/condense.rs).
  std::vector<int32_t> encode(std::string_view text) const;

  int32_t vocab_size() const;       // one more than the largest id encode() can give, added tokens included
  const std::string& json() const;  // the tokenizer.json as read, for saving
  const TokenizerOptions& options() const { return options_; }

 private:
  Tokenizer() = default;
  struct Handle;
  std::shared_ptr<Handle> handle_;
  TokenizerOptions options_;
};

// True when `text` is well-formed UTF-8 (no surrogates, no overlong forms).
bool valid_utf8(std::string_view text);

// Bytes of `text` before the first ill-formed sequence; all of them when there is none.
size_t valid_utf8_prefix(std::string_view text);

// True when there is nothing to see in `text`: white space, control characters and such as have no width.
bool only_blanks(std::string_view text);

}  // namespace hone::text

#include "text/tokenizer.h"

#include <exception>
#include <limits>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"

// The functions of ffi/src/lib.rs.
extern "C" {
struct hone_tok;
struct hone_tok_message {
  char* text;
  size_t capacity;
};
hone_tok* hone_tok_new(const uint8_t* json, size_t size, uint32_t max_length, bool lower_case,
                       const hone_tok_message* message);
void hone_tok_free(hone_tok* tokenizer);
uint32_t hone_tok_vocab_size(const hone_tok* tokenizer);
bool hone_tok_encode(const hone_tok* tokenizer, const uint8_t* text, size_t size,
                     void (*sink)(void* context, const uint32_t* ids, size_t count), void* context,
                     const hone_tok_message* message);
}

namespace hone::text {

namespace {

// A buffer for the message of a failed call.
struct Message {
  char text[512] = "";
  hone_tok_message view{text, sizeof text};
};

// Collects ids on the far side of a C call, which no exception may cross.
struct Sink {
  std::vector<int32_t> ids;
  std::exception_ptr failure;

  static void take(void* context, const uint32_t* ids, size_t count) noexcept {
    auto* sink = static_cast<Sink*>(context);
    try {
      sink->ids.assign(ids, ids + count);
    } catch (...) {
      sink->failure = std::current_exception();
    }
  }
};

}  // namespace

struct Tokenizer::Handle {
  std::filesystem::path path;
  std::shared_ptr<const std::string> json;
  hone_tok* tokenizer = nullptr;
  int32_t vocab_size = 0;

  Handle(std::filesystem::path file, std::shared_ptr<const std::string> content,
         const TokenizerOptions& options)
      : path(std::move(file)), json(std::move(content)) {
    if (options.max_length < 1)
      fail(path, ": a maximum length of ", options.max_length, " tokens is not possible");
    Message message;
    tokenizer = hone_tok_new(reinterpret_cast<const uint8_t*>(json->data()), json->size(),
                             static_cast<uint32_t>(options.max_length), options.do_lower_case, &message.view);
    if (tokenizer == nullptr) fail(path, ": ", excerpt(message.text, sizeof message.text));
    uint32_t size = hone_tok_vocab_size(tokenizer);
    if (size > static_cast<uint32_t>(std::numeric_limits<int32_t>::max())) {
      hone_tok_free(tokenizer);
      fail(path, ": a token has the id ", size - 1, ", larger than any vocabulary");
    }
    vocab_size = static_cast<int32_t>(size);
  }
  ~Handle() { hone_tok_free(tokenizer); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

std::shared_ptr<const Tokenizer> Tokenizer::load(const std::filesystem::path& folder,
                                                 const TokenizerOptions& options) {
  std::filesystem::path path = folder / "tokenizer.json";
  std::shared_ptr<Tokenizer> made(new Tokenizer());
  made->options_ = options;
  made->handle_ =
      std::make_shared<Handle>(path, std::make_shared<const std::string>(read_text_file(path)), options);
  return made;
}

std::shared_ptr<const Tokenizer> Tokenizer::with_options(const TokenizerOptions& options) const {
  std::shared_ptr<Tokenizer> made(new Tokenizer());
  made->options_ = options;
  made->handle_ = std::make_shared<Handle>(handle_->path, handle_->json, options);
  return made;
}

Tokenizer::~Tokenizer() = default;

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
  Sink sink;
  Message message;
  if (!hone_tok_encode(handle_->tokenizer, reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                       &Sink::take, &sink, &message.view)) {
    fail(excerpt(message.text, sizeof message.text));
  }
  if (sink.failure) std::rethrow_exception(sink.failure);
  if (sink.ids.empty())
    fail("text \"", excerpt(text), "\" gives no token, expected at least one: ", handle_->path,
         " puts no special tokens around a text");
  return std::move(sink.ids);
}

int32_t Tokenizer::vocab_size() const {
  return handle_->vocab_size;
}

const std::string& Tokenizer::json() const {
  return *handle_->json;
}

}  // namespace hone::text

#include "train/tensor_rules.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace hone::train {

namespace {

// A tensor's name as far as it tells something about another: for messages.
std::string some_names(const model::SentenceModel& model) {
  std::string names;
  for (size_t i = 0; i < model.tensors.size() && i < 4; ++i)
    names += cat(i == 0 ? "" : ", ", model.tensors[i].name);
  return names;
}

std::string head_names(std::span<const loss::Head> heads) {
  std::string names;
  for (const loss::Head& head : heads) names += cat(names.empty() ? "" : ", ", head.name);
  return names.empty() ? "none" : names;
}

std::regex pattern(const char* option, const std::string& text, const model::SentenceModel& model,
                   std::span<const loss::Head> heads) {
  // The library's parser calls itself for every bracket: an endless one would end the process.
  constexpr size_t kLongest = 1000;
  if (text.size() > kLongest)
    fail_usage(option, ": ", text.size(), " characters found, at most ", kLongest, " expected");
  std::regex made;
  try {
    // The library's other way to search tries every way to match: with "(a*)*" for ages.
    made.assign(text, std::regex_constants::ECMAScript | std::regex_constants::__polynomial);
  } catch (const std::regex_error& e) {
    fail_usage(option, ": \"", excerpt(text), "\" found, a regular expression expected (", excerpt(e.what()),
               ")");
  }
  const auto fits = [&](const auto& one) { return std::regex_search(one.name, made); };
  if (std::none_of(model.tensors.begin(), model.tensors.end(), fits) &&
      std::none_of(heads.begin(), heads.end(), fits)) {
    fail_usage(option, ": \"", excerpt(text), "\" fits no tensor of the model, which has ", some_names(model),
               ", ..., and no head of the loss, which has ", head_names(heads));
  }
  return made;
}

}  // namespace

TensorRules::TensorRules(const std::string& freeze, const std::string& rates, double learning_rate,
                         const model::SentenceModel& model, std::span<const loss::Head> heads) {
  if (!freeze.empty()) frozen_.push_back(pattern("freeze", freeze, model, heads));
  for (std::string_view rest = rates; !rest.empty();) {
    const std::string_view piece = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
    const size_t equals = piece.rfind('=');
    double rate = -1;
    if (equals != std::string_view::npos) {
      const std::string_view number = piece.substr(equals + 1);
      const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), rate);
      if (code != std::errc() || end != number.data() + number.size()) rate = -1;
    }
    if (!(rate >= 0 && rate < 10) || equals == 0)
      fail_usage("rates: \"", excerpt(piece), "\" found, REGEX=RATE with a rate from 0 to below 10 expected");
    if (learning_rate == 0) fail_usage("rates: lr is 0, so there is nothing that other rates could follow");
    factors_.emplace_back(pattern("rates", std::string(piece.substr(0, equals)), model, heads),
                          static_cast<float>(rate / learning_rate));
  }
  const auto frozen = [&](const std::string& name) {
    return !frozen_.empty() && std::regex_search(name, frozen_[0]);
  };
  for (const auto& factor : factors_) {
    const auto trained = [&](const auto& one) {
      return std::regex_search(one.name, factor.first) && !frozen(one.name);
    };
    if (std::none_of(model.tensors.begin(), model.tensors.end(), trained) &&
        std::none_of(heads.begin(), heads.end(), trained)) {
      fail_usage("rates: \"", excerpt(rates), "\" found, but one of its patterns fits only what --freeze \"",
                 excerpt(freeze), "\" leaves alone: it would do nothing");
    }
  }
  const bool none_left = std::all_of(model.tensors.begin(), model.tensors.end(), [&](const auto& tensor) {
    compute::ParameterOptions options;
    apply(tensor.name, options);
    return !options.trainable;
  });
  if (none_left) fail_usage("freeze: \"", excerpt(freeze), "\" leaves no tensor of the model to train");
}

void TensorRules::apply(const std::string& name, compute::ParameterOptions& options) const {
  if (!frozen_.empty() && std::regex_search(name, frozen_[0])) options.trainable = false;
  for (const auto& [regex, factor] : factors_) {
    if (!std::regex_search(name, regex)) continue;
    options.rate = factor;
    return;
  }
}

}  // namespace hone::train

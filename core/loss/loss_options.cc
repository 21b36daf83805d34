// The options of a loss as they are typed: "scale=20,similarity=dot".
#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/spelling.h"
#include "loss/loss_table.h"

namespace hone::loss {

using config::OptionInfo;

std::string LossOptions::key(std::string_view name) const {
  return cat(info_->name, ".", name);
}

LossOptions::LossOptions(const LossInfo& info, std::string_view text) : info_(&info) {
  for (const OptionInfo& option : info.options) {
    if (*option.default_value != '\0') options_.parse(option, option.default_value, option.name());
  }
  for (bool more = !text.empty(); more;) {
    const std::string_view piece = text.substr(0, text.find(','));
    more = piece.size() < text.size();  // also after a comma at the end
    text.remove_prefix(piece.size() + (more ? 1 : 0));
    const size_t equals = piece.find('=');
    const std::string_view name = piece.substr(0, equals);
    const auto option = std::find_if(info.options.begin(), info.options.end(),
                                     [&](const OptionInfo& o) { return o.name() == name; });
    if (equals == std::string_view::npos)
      fail_usage("loss-options: \"", excerpt(piece), "\" found, name=value expected");
    if (option == info.options.end()) {
      std::string names;
      for (const OptionInfo& o : info.options) names += cat(names.empty() ? "" : ", ", o.name());
      fail_usage("loss-options: \"", excerpt(name), "\" is no option of the loss ", info.name, ", which has ",
                 names, did_you_mean_of(name, info.options, [](const OptionInfo& o) { return o.name(); }));
    }
    const std::string value(piece.substr(equals + 1));
    if (!given_.emplace(std::string(name), value).second)
      fail_usage("loss-options: ", name, " is there twice");
    options_.parse(*option, value, cat("loss-options: ", name));
  }
  for (const OptionInfo& option : info.options) {
    if (std::string_view(option.value == nullptr ? "" : option.value) == "LIST" &&
        *option.default_value == '\0')
      list(option.name());
  }
}

bool LossOptions::given(std::string_view name) const {
  return given_.contains(name);
}

std::string LossOptions::text() const {
  std::string out;
  for (const OptionInfo& option : info_->options) {
    const auto found = given_.find(option.name());
    if (found != given_.end() && found->second != option.default_value)
      out += cat(out.empty() ? "" : ",", found->first, "=", found->second);
  }
  return out;
}

std::vector<double> LossOptions::list(std::string_view name) const {
  std::vector<double> numbers;
  const auto found = given_.find(name);
  if (found == given_.end()) return numbers;
  std::string_view rest = found->second;
  while (true) {
    const std::string_view piece = rest.substr(0, rest.find('+'));
    double number = 0;
    const auto [end, code] = std::from_chars(piece.data(), piece.data() + piece.size(), number);
    if (code != std::errc() || end != piece.data() + piece.size() || !(number >= 0) || number > 1e9) {
      fail_usage("loss-options: ", name, ": \"", excerpt(found->second),
                 "\" found, numbers joined by + expected, as 384+128");
    }
    numbers.push_back(number);
    if (piece.size() == rest.size()) return numbers;
    rest.remove_prefix(piece.size() + 1);
  }
}

}  // namespace hone::loss

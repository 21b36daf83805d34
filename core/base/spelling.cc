#include "base/spelling.h"

#include <algorithm>

#include "base/error.h"

namespace hone {

namespace {

constexpr size_t kLongestName = 64;  // worth comparing: the work grows with the square of it

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

size_t spelling_distance(std::string_view a, std::string_view b) {
  // Damerau's distance with neighbours swapped at most once: three rows of its table.
  std::vector<size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      next[j] = std::min({row[j - 1] + (same ? 0 : 1), row[j] + 1, next[j - 1] + 1});
      const bool swapped =
          i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

std::string_view nearest_name(std::string_view found, std::span<const std::string_view> names) {
  std::string_view nearest;
  if (found.empty() || found.size() > kLongestName) return nearest;
  const size_t most = std::max<size_t>(1, found.size() / 3);
  size_t least = most + 1;
  for (std::string_view name : names) {
    // Changing every letter of a short name makes any other of it.
    const size_t distance = spelling_distance(found, name);
    const bool begins_so =
        distance == least && distance <= most && name.starts_with(found) && !nearest.starts_with(found);
    if ((distance >= least && !begins_so) || distance >= std::max(found.size(), name.size())) continue;
    least = distance;
    nearest = name;
  }
  if (!nearest.empty() || found.size() < 3) return nearest;
  // Whoever wrote the beginning of one name alone means that one.
  for (std::string_view name : names) {
    if (!name.starts_with(found)) continue;
    if (!nearest.empty()) return {};
    nearest = name;
  }
  return nearest;
}

std::string did_you_mean(std::string_view found, std::span<const std::string_view> names,
                         std::string_view prefix) {
  const std::string_view nearest = nearest_name(found, names);
  return nearest.empty() ? "" : cat("; did you mean ", prefix, nearest, "?");
}

std::vector<std::string_view> choices_of(std::string_view joined) {
  std::vector<std::string_view> all;
  while (!joined.empty()) {
    all.push_back(joined.substr(0, joined.find('|')));
    joined.remove_prefix(std::min(joined.size(), all.back().size() + 1));
  }
  return all;
}

}  // namespace hone

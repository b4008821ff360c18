#include "bridge/core/rejections.h"

#include <algorithm>

namespace trestle {
namespace {

constexpr std::size_t kMaxDetail = 200;

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxDetail));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

}  // namespace

void Rejections::add(Reject reason, std::string_view detail) {
  auto& entry = entries_[static_cast<std::size_t>(reason)];
  ++entry.total;
  // The first of a burst names it; rebuilding the text for each of a million would be the attacker's win.
  if (entry.unreported++ == 0) entry.detail = printable(detail);
}

std::vector<Rejections::Report> Rejections::due(Now now) {
  std::vector<Report> reports;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto& entry = entries_[i];
    const bool waited = !entry.ever_reported || now.steady - entry.reported_at >= std::chrono::seconds(1);
    if (entry.unreported == 0 || !waited) continue;
    reports.push_back({static_cast<Reject>(i), entry.unreported, entry.total, std::move(entry.detail)});
    entry.unreported = 0;
    entry.detail.clear();
    entry.ever_reported = true;
    entry.reported_at = now.steady;
  }
  return reports;
}

}  // namespace trestle

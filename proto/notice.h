#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/types.h"

namespace trestle {

/// Notices: envelopes without `meta` that Trestle itself sends, to meta sessions only. `epoch` is the
/// stream's. Each function returns the whole JSON text, {"success":true,"data":{"type":…,…}}.
std::string welcome_notice(std::string_view epoch, Offset offset, std::string_view session,
                           std::chrono::milliseconds heartbeat);
std::string live_notice(std::string_view epoch, Offset offset);
std::string cursor_notice(std::string_view epoch, Offset offset);
std::string drain_notice(std::chrono::milliseconds after, std::chrono::milliseconds spread);

enum class GapReason { trimmed, epoch, lost, dropped };
/// An honest hole: what is missing and why. What is not known is left out.
struct Gap {
  GapReason reason = GapReason::trimmed;
  std::string epoch;
  Offset offset = 0;
  std::optional<Offset> from, to;
  std::string producer;
  std::optional<Seq> seq_from, seq_to;
  std::string topic;
  std::optional<std::uint64_t> count;
};
std::string gap_notice(const Gap& gap);

}  // namespace trestle

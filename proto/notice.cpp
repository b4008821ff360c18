#include "proto/notice.h"

#include <utility>

#include "proto/json_text.h"

namespace trestle {
namespace {

/// Puts one notice together; members appear in the order of the calls.
class Notice {
 public:
  explicit Notice(std::string_view type) { text_.append(R"({"success":true,"data":{"type":)"), string(type); }
  Notice& add(std::string_view name, std::string_view value) {
    member(name);
    return string(value);
  }
  Notice& add(std::string_view name, std::uint64_t value) {
    member(name);
    text_ += std::to_string(value);
    return *this;
  }
  Notice& add(std::string_view name, std::chrono::milliseconds value) {
    return add(name, static_cast<std::uint64_t>(value.count() < 0 ? 0 : value.count()));
  }
  template <class T>
  Notice& add_if(std::string_view name, const std::optional<T>& value) {
    return value ? add(name, *value) : *this;
  }
  Notice& add_if(std::string_view name, std::string_view value) {
    return value.empty() ? *this : add(name, value);
  }
  std::string take() { return std::move(text_ += "}}"); }

 private:
  void member(std::string_view name) { text_.append(",\"").append(name).append("\":"); }
  Notice& string(std::string_view value) {
    append_json_string(text_, value);
    return *this;
  }
  std::string text_;
};

std::string_view name_of(GapReason reason) {
  switch (reason) {
    case GapReason::trimmed: return "trimmed";
    case GapReason::epoch: return "epoch";
    case GapReason::lost: return "lost";
    case GapReason::dropped: return "dropped";
  }
  return "lost";
}

}  // namespace

std::string welcome_notice(std::string_view epoch, Offset offset, std::string_view session,
                           std::chrono::milliseconds heartbeat) {
  return Notice("welcome")
      .add("epoch", epoch)
      .add("offset", offset)
      .add("session", session)
      .add("heartbeat", heartbeat)
      .take();
}

std::string live_notice(std::string_view epoch, Offset offset) {
  return Notice("live").add("epoch", epoch).add("offset", offset).take();
}

std::string cursor_notice(std::string_view epoch, Offset offset) {
  return Notice("cursor").add("epoch", epoch).add("offset", offset).take();
}

std::string drain_notice(std::chrono::milliseconds after, std::chrono::milliseconds spread) {
  return Notice("drain").add("after_ms", after).add("spread_ms", spread).take();
}

std::string gap_notice(const Gap& gap) {
  return Notice("gap")
      .add("reason", name_of(gap.reason))
      .add("epoch", gap.epoch)
      .add("offset", gap.offset)
      .add_if("from", gap.from)
      .add_if("to", gap.to)
      .add_if("producer", gap.producer)
      .add_if("seq_from", gap.seq_from)
      .add_if("seq_to", gap.seq_to)
      .add_if("topic", gap.topic)
      .add_if("count", gap.count)
      .take();
}

}  // namespace trestle

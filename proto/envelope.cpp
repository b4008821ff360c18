#include "proto/envelope.h"

#include <array>
#include <charconv>

namespace trestle {
namespace {

constexpr std::string_view kOpen = R"({"success":true,"data":)";
constexpr std::string_view kTopic = R"(,"meta":{"topic":")";
constexpr std::string_view kOffset = R"(","offset":)";
constexpr std::string_view kTime = R"(,"time":)";
constexpr std::string_view kReplay = R"(,"replay":true)";

/// An integer's decimal text, on the stack.
class Decimal {
 public:
  template <class Integer>
  explicit Decimal(Integer value) {
    end_ = std::to_chars(digits_.data(), digits_.data() + digits_.size(), value).ptr;
  }
  std::string_view text() const { return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())}; }

 private:
  std::array<char, 20> digits_{};  // the longest: 2^64 - 1, and -2^63 with its sign
  const char* end_ = nullptr;
};

std::size_t meta_size(const Meta& meta) {
  return kTopic.size() + meta.topic.size() + kOffset.size() + Decimal(meta.offset).text().size() +
         kTime.size() + Decimal(meta.time).text().size() + (meta.replay ? kReplay.size() : 0) + 1;
}

void append_meta(std::string& out, const Meta& meta) {
  out.append(kTopic).append(meta.topic);
  out.append(kOffset).append(Decimal(meta.offset).text());
  out.append(kTime).append(Decimal(meta.time).text());
  if (meta.replay) out.append(kReplay);
  out.push_back('}');
}

}  // namespace

void append_form(std::string& out, Form form, std::string_view payload, const Meta& meta) {
  if (form == Form::bare) {
    out.append(payload);
    return;
  }
  out.append(kOpen).append(payload);
  if (form == Form::meta) append_meta(out, meta);
  out.push_back('}');
}

std::size_t form_size(Form form, std::size_t payload, const Meta& meta) {
  if (form == Form::bare) return payload;
  return kOpen.size() + payload + (form == Form::meta ? meta_size(meta) : 0) + 1;
}

}  // namespace trestle

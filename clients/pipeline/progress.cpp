#include "clients/pipeline/progress.h"

#include <charconv>
#include <memory>
#include <numeric>
#include <utility>

namespace trestle::pipeline {
namespace {

std::string_view skip(std::string_view text, char c) {
  const auto start = text.find_first_not_of(c);
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

/// A number in [0, 100] directly followed by '%', at the beginning of `text`.
std::optional<double> leading_percentage(std::string_view text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end == text.data() + text.size() || *end != '%') return std::nullopt;
  if (value < 0 || value > 100) return std::nullopt;
  return value;
}

/// Cuts chunks into pieces. The unfinished last piece is handed out too, each time it grows: a percentage
/// counts from its
/// '%' on, and some tools write the separator first.
class Pieces {
 public:
  /// Calls visit(piece, end) where end is '\r', '\n', '\b' or, for the unfinished piece, 0.
  template <class Visit>
  void feed(std::string_view chunk, Visit visit) {
    for (const char c : chunk) {
      if (c == '\r' || c == '\n' || c == '\b') {
        visit(std::string_view(pending_), c);
        pending_.clear();
      } else if (pending_.size() < kLongest) {
        pending_.push_back(c);
      }
    }
    if (!pending_.empty()) visit(std::string_view(pending_), '\0');
  }

 private:
  static constexpr std::size_t kLongest =
      4096;  // a percentage stands at the beginning or after a bar of 80 columns
  std::string pending_;
};

class Uploads {
 public:
  explicit Uploads(std::vector<std::uint64_t> sizes)
      : sizes_(std::move(sizes)), total_(std::accumulate(sizes_.begin(), sizes_.end(), std::uint64_t{0})) {}

  std::optional<double> feed(std::string_view chunk) {
    std::optional<double> newest;
    pieces_.feed(chunk, [&](std::string_view piece, char end) {
      const auto percentage = curl_percentage(piece);
      if (!percentage || current_ == sizes_.size()) return;
      newest = overall(*percentage);
      if (end == '\n') before_ += sizes_[current_++];
    });
    return newest;
  }

 private:
  double overall(double percentage) const {
    if (total_ == 0) return 0;
    const double done =
        static_cast<double>(before_) + percentage / 100 * static_cast<double>(sizes_[current_]);
    return 100 * done / static_cast<double>(total_);
  }

  std::vector<std::uint64_t> sizes_;
  std::uint64_t total_;
  std::uint64_t before_ = 0;
  std::size_t current_ = 0;
  Pieces pieces_;
};

}  // namespace

std::optional<double> seven_zip_percentage(std::string_view piece) {
  return leading_percentage(skip(piece, ' '));
}

std::optional<double> par2_percentage(std::string_view piece) {
  constexpr std::string_view kLabel = "Processing: ";
  if (piece.substr(0, kLabel.size()) != kLabel) return std::nullopt;
  return leading_percentage(piece.substr(kLabel.size()));
}

std::optional<double> curl_percentage(std::string_view piece) {
  return leading_percentage(skip(skip(piece, '#'), ' '));
}

ProgressReader read_with(std::optional<double> (*parse)(std::string_view piece)) {
  return [parse, pieces = Pieces{}](std::string_view chunk) mutable {
    std::optional<double> newest;
    pieces.feed(chunk, [&](std::string_view piece, char) {
      if (const auto percentage = parse(piece)) newest = percentage;
    });
    return newest;
  };
}

ProgressReader read_uploads(std::vector<std::uint64_t> sizes) {
  return
      [uploads = Uploads(std::move(sizes))](std::string_view chunk) mutable { return uploads.feed(chunk); };
}

bool ProgressGate::admit(double percentage, Time now) {
  if (percentage <= last_ || percentage >= 100 || now < next_) return false;
  last_ = percentage;
  next_ = now + interval_;
  return true;
}

}  // namespace trestle::pipeline

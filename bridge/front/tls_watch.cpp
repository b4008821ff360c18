#include "bridge/front/tls_watch.h"

#include "bridge/core/clock.h"
#include "bridge/log/log.h"

namespace trestle {
namespace {

constexpr Micros kDay = Micros{86'400} * 1'000'000;
constexpr Micros kSoon = 14 * kDay;
constexpr std::chrono::hours kExpiryQuiet{24};
constexpr std::chrono::seconds kFailuresQuiet{10};

std::string trouble_of(const TlsReload& read) {
  std::string text;
  for (const auto* fault : {&read.pair_fault, &read.client_ca_fault}) {
    if (*fault) text += (text.empty() ? "" : "; ") + (*fault)->message;
  }
  return text;
}

}  // namespace

TlsWatch::TlsWatch(asio::io_context& io, TlsSettings settings)
    : settings_(std::move(settings)),
      timer_(io),
      files_({settings_.certificate, settings_.key, settings_.client_ca}) {}

Result<std::monostate> TlsWatch::open() {
  auto loaded = TlsContext::load(settings_, failures_);
  if (!loaded) return loaded.error();
  context_ = *loaded;
  const std::lock_guard<std::mutex> lock(mutex_);
  status_.used = true;
  status_.certificate = context_->certificate();
  return std::monostate{};
}

void TlsWatch::start() {
  warn_of_expiry();
  wait();
}

void TlsWatch::stop() { timer_.cancel(); }

void TlsWatch::reload() {
  files_.take();
  take();
}

TlsStatus TlsWatch::status() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto status = status_;
  status.failed_handshakes = failures_->total();
  return status;
}

void TlsWatch::wait() {
  timer_.expires_after(kEvery);
  timer_.async_wait([this](const asio::error_code& error) {
    if (error) return;
    look();
    wait();
  });
}

void TlsWatch::look() {
  const auto now = std::chrono::steady_clock::now();
  const auto news = files_.look(now);
  if (news == FileNews::settled) take();
  if (news == FileNews::unsettled) take_unsettled();
  if (now - expiry_told_ >= kExpiryQuiet) warn_of_expiry();
  tell_failures(now);
}

void TlsWatch::take() {
  const auto read = context_->reload(settings_);
  put(read, true);
  if (read.client_ca_fault) {
    log::error("client_ca stays as it was", {{"error", read.client_ca_fault->message}});
  }
  if (read.pair_fault)
    return log::error("certificate stays as it was", {{"error", read.pair_fault->message}});
  log::info("certificate read again",
            {{"file", settings_.certificate.string()}, {"name", context_->certificate().name}});
  warn_of_expiry();
}

// Faults are told once the files keep still.
void TlsWatch::take_unsettled() { put(context_->reload(settings_), false); }

void TlsWatch::put(const TlsReload& read, bool settled) {
  if (read.context) context_ = read.context;
  const auto trouble = trouble_of(read);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (settled || trouble.empty()) status_.trouble = trouble;
  status_.certificate = context_->certificate();
}

void TlsWatch::warn_of_expiry() {
  expiry_told_ = std::chrono::steady_clock::now();
  const auto& certificate = context_->certificate();
  const auto now = read_clock().wall;
  const auto file = settings_.certificate.string();
  if (certificate.until <= now) {
    log::error("certificate has expired", {{"file", file}, {"days", (now - certificate.until) / kDay}});
  } else if (certificate.until - now < kSoon) {
    log::warning("certificate expires soon", {{"file", file}, {"days", (certificate.until - now) / kDay}});
  } else if (certificate.from > now) {
    log::warning("certificate is not valid yet", {{"file", file}, {"days", (certificate.from - now) / kDay}});
  }
}

void TlsWatch::tell_failures(std::chrono::steady_clock::time_point now) {
  if (now - failures_told_ < kFailuresQuiet) return;
  const auto report = failures_->take();
  if (report.count == 0) return;
  failures_told_ = now;
  log::warning("TLS handshakes failed",
               {{"count", report.count}, {"total", report.total}, {"last", report.last}});
}

}  // namespace trestle

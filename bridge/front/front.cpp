#include "bridge/front/front.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "bridge/front/status.h"
#include "bridge/log/log.h"

namespace trestle {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDrainAfter{250};
constexpr milliseconds kDrainSpread{5'000};

std::size_t shard_count(std::size_t configured) {
  return configured != 0 ? configured : std::max(1u, std::thread::hardware_concurrency());
}

bool has_ipv6_loopback() {
  asio::io_context io;
  asio::ip::tcp::acceptor probe(io);
  asio::error_code error;
  probe.open(asio::ip::tcp::v6(), error);
  if (!error) probe.bind({asio::ip::address_v6::loopback(), 0}, error);
  return !error;
}

std::string url_host(const std::string& address) {
  if (address == "0.0.0.0" || address == "::") return "localhost";
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

// The configuration's texts were checked when it was read.
ListenerInfo info_of(const ListenSettings& settings) {
  ListenerInfo info{settings.endpoints, settings.tls, {}, {}, settings.proxy_protocol};
  for (const auto& text : settings.origins) info.origins.push_back(*Origin::parse_allowed(text));
  for (const auto& text : settings.trusted_proxies) info.trusted_proxies.push_back(*Network::parse(text));
  return info;
}

// The parts of one /api/status, filled from several threads; whoever brings the last part writes the answer.
struct Gathering {
  explicit Gathering(std::size_t shard_number) : missing(shard_number + 1) {
    front.shards.resize(shard_number);
  }
  bool is_last() { return missing.fetch_sub(1) == 1; }

  SpineStatus spine;
  FrontStatus front;
  std::atomic<std::size_t> missing;
};

}  // namespace

Front::Front(asio::io_context& main, const Settings& settings, const Authority& authority,
             const PolicyTable& policies)
    : main_(main),
      context_{settings,
               authority,
               policies,
               Admission(settings.limits.connections, settings.limits.per_address),
               Backoff(settings.limits.failed_auth),
               [this](IdentityPtr reader, std::function<void(std::string)> answer) {
                 gather_status(std::move(reader), std::move(answer));
               }} {
  for (std::size_t i = 0; i < shard_count(settings.shards); ++i) {
    shards_.push_back(std::make_unique<Shard>(i, context_));
  }
}

Front::~Front() { stop(milliseconds(0)); }

Result<std::monostate> Front::open() {
  for (const auto& listen : context_.settings.listen) {
    if (auto opened = open_listener(listen); !opened) return opened;
  }
  return std::monostate{};
}

Result<std::monostate> Front::open_listener(const ListenSettings& settings) {
  if (settings.tls && !tls_) {
    auto watch = std::make_unique<TlsWatch>(main_, context_.settings.tls);
    if (auto opened = watch->open(); !opened) return opened;
    tls_ = std::move(watch);
  }
  const auto* tls = settings.tls ? tls_.get() : nullptr;
  const auto addresses = resolve_listen_address(settings.address);
  if (!addresses) return addresses.error();
  const auto info = std::make_shared<const ListenerInfo>(info_of(settings));
  auto port = settings.port;
  std::size_t opened = 0;
  for (const auto& address : *addresses) {
    auto listener =
        std::make_unique<Listener>(main_, context_, info, tls, [this]() -> Shard& { return next_shard(); });
    const auto where = listener->open({address, port}, settings);
    if (!where) {
      // A machine without IPv6 still has a localhost.
      const bool spare = opened > 0 && address.is_v6() && address.is_loopback() && !has_ipv6_loopback();
      if (spare) continue;
      return where.error();
    }
    ++opened;
    port = where->port();  // port 0: both of localhost's addresses get the same
    opened_.push_back({address.to_string(), port, settings.tls});
    listeners_.push_back(std::move(listener));
  }
  if (url_.empty()) {
    url_ = std::string(settings.tls ? "https" : "http") + "://" + url_host(settings.address) + ":" +
           std::to_string(port);
  }
  return std::monostate{};
}

void Front::load(const Batch& kept, const Past& past) {
  for (auto& shard : shards_) shard->load(kept, past);
}

Result<std::monostate> Front::reopen_tls() {
  if (!tls_) return std::monostate{};
  return tls_->open();
}

void Front::reload_tls() {
  if (tls_) tls_->reload();
}

void Front::start(SpineProbe& probe) {
  probe_ = &probe;
  for (auto& shard : shards_) shard->start();
  if (tls_) tls_->start();
  for (auto& listener : listeners_) listener->start();
  for (const auto& [address, port, tls] : opened_) {
    log::info("listening", {{"address", address}, {"port", port}, {"tls", tls ? "yes" : "no"}});
    const auto ip = IpAddress::parse(address);
    if (tls || !ip || ip->is_loopback()) continue;
    log::warning(
        "tokens and events can be read on their way here: turn on tls, or have a proxy in front that does",
        {{"address", address}, {"port", port}});
  }
}

void Front::drain() {
  for (auto& listener : listeners_) listener->stop();
  for (auto& shard : shards_) {
    shard->post([&shard = *shard] { shard.drain(kDrainAfter, kDrainSpread); });
  }
}

void Front::stop(milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline && session_count() > 0) {
    std::this_thread::sleep_for(milliseconds(20));
  }
  for (auto& listener : listeners_) listener->stop();
  if (tls_) tls_->stop();
  // A cancelled accept holds a socket of the shard it was meant for; it has to go before its shard does.
  main_.restart();
  main_.poll();
  for (auto& shard : shards_) shard->stop();
}

std::size_t Front::session_count() const {
  return std::accumulate(shards_.begin(), shards_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& shard) { return sum + shard->session_count(); });
}

Shard& Front::next_shard() { return *shards_[next_++ % shards_.size()]; }

bool Front::has_room() const {
  return std::all_of(shards_.begin(), shards_.end(), [](const auto& shard) { return shard->has_room(); });
}

void Front::deliver(const BatchPtr& batch) {
  // All have it before any of them wakes up: whoever has heard of it, and then connects to another shard,
  // joins after it.
  for (auto& shard : shards_) shard->push(batch);
  for (auto& shard : shards_) shard->notify();
}

void Front::gather_status(IdentityPtr reader, std::function<void(std::string)> answer) {
  auto gathering = std::make_shared<Gathering>(shards_.size());
  auto finish = [this, gathering, reader = std::move(reader), answer = std::move(answer)] {
    if (!gathering->is_last()) return;
    auto& front = gathering->front;
    front.uptime = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    for (const auto& listener : listeners_) {
      front.accept_pauses += listener->pauses();
      front.turned_away += listener->turned_away();
    }
    if (tls_) front.tls = tls_->status();
    front.auth = context_.authority.status();
    answer(status_json(gathering->spine, front, reader->rights));
  };
  probe_->probe([gathering, finish](const SpineStatus& spine) {
    gathering->spine = spine;
    finish();
  });
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    auto* shard = shards_[i].get();
    shard->post([shard, i, gathering, finish] {
      gathering->front.shards[i] = shard->status();
      finish();
    });
  }
}

}  // namespace trestle

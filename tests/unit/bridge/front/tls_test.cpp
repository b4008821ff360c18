#include "bridge/front/tls.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <string>
#include <utility>

#include "bridge/front/tls_stream.h"
#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;

namespace {

void openssl(const std::string& arguments) {
  REQUIRE(std::system(("openssl " + arguments + " >/dev/null 2>&1").c_str()) == 0);
}

/// Certificates as an operator makes them; once for all cases, making keys is slow.
class Certificates {
 public:
  static const Certificates& get() {
    static const Certificates made;
    return made;
  }
  std::string path(const std::string& name) const { return scratch_.file(name).string(); }
  Result<std::shared_ptr<const TlsContext>> load(const std::string& certificate,
                                                 const std::string& key) const {
    TlsSettings settings;
    settings.certificate = path(certificate);
    settings.key = path(key);
    return load(settings);
  }
  static Result<std::shared_ptr<const TlsContext>> load(const TlsSettings& settings) {
    return TlsContext::load(settings, std::make_shared<TlsFailures>());
  }
  std::string complaint(const std::string& certificate, const std::string& key) const {
    const auto loaded = load(certificate, key);
    return loaded ? "none" : loaded.error().message;
  }

 private:
  Certificates() {
    const std::string request =
        "req -x509 -nodes -days 2 -subj /CN=localhost -newkey ec -pkeyopt "
        "ec_paramgen_curve:prime256v1 ";
    openssl(request + "-keyout " + path("key.pem") + " -out " + path("cert.pem"));
    openssl(request + "-keyout " + path("other-key.pem") + " -out " + path("other-cert.pem"));
    openssl("genrsa -out " + path("rsa-key.pem") + " 2048");
    openssl("ec -aes128 -passout pass:secret -in " + path("key.pem") + " -out " + path("locked-key.pem"));
    scratch_.write("text.pem", "this is no PEM\n");
    scratch_.write("empty.pem", "");
    for (const auto* name : {"text.pem", "cert.pem"}) {  // they are tried as keys, too
      std::filesystem::permissions(path(name), std::filesystem::perms::owner_read);
    }
  }
  ScratchDirectory scratch_;
};

/// A TLS server on one end of a socket pair, OpenSSL's client on the other.
class Connection {
 public:
  explicit Connection(int client_version = 0) {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()) == 0);
    context_ = *Certificates::get().load("cert.pem", "key.pem");
    server = context_->accept(ends_[0]);
    client_context_ = SSL_CTX_new(TLS_client_method());
    if (client_version != 0) {
      SSL_CTX_set_security_level(client_context_, 0);
      SSL_CTX_set_max_proto_version(client_context_, client_version);
      SSL_CTX_set_min_proto_version(client_context_, client_version);
    }
    client_ = SSL_new(client_context_);
    SSL_set_fd(client_, ends_[1]);
    SSL_set_connect_state(client_);
  }
  ~Connection() {
    SSL_free(client_);
    SSL_CTX_free(client_context_);
    server.reset();
    ::close(ends_[0]);
    hang_up();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Goes to and fro until the client has a connection, or the server says why not.
  Io shake_hands() {
    for (int i = 0; i < 20; ++i) {
      const bool connected = SSL_do_handshake(client_) == 1;
      const auto outcome = read();
      if (connected && outcome == Io::wait_read) return Io::done;
      if (outcome == Io::failed || outcome == Io::closed) return outcome;
    }
    return Io::wait_read;
  }
  Io read() {
    std::array<char, 100> buffer{};
    std::size_t got = 0;
    const auto outcome = server->read(buffer.data(), buffer.size(), got);
    if (outcome == Io::done) heard.append(buffer.data(), got);
    return outcome;
  }
  void say(const std::string& text) {
    REQUIRE(SSL_write(client_, text.data(), static_cast<int>(text.size())) > 0);
  }
  std::string hear() {
    std::array<char, 20'000> buffer{};
    const int got = SSL_read(client_, buffer.data(), static_cast<int>(buffer.size()));
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
  }
  bool hears_the_end() { return hear().empty() && (SSL_get_shutdown(client_) & SSL_RECEIVED_SHUTDOWN) != 0; }
  void say_goodbye() { SSL_shutdown(client_); }
  void send_raw(const std::string& bytes) { REQUIRE(::send(ends_[1], bytes.data(), bytes.size(), 0) > 0); }
  void hang_up() {
    if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
  }

  std::unique_ptr<ByteStream> server;
  std::string heard;

 private:
  std::array<int, 2> ends_{-1, -1};
  std::shared_ptr<const TlsContext> context_;
  SSL_CTX* client_context_ = nullptr;
  SSL* client_ = nullptr;
};

}  // namespace

TEST_CASE("a certificate and its key are ready for handshakes") {
  CHECK(Certificates::get().complaint("cert.pem", "key.pem") == "none");
}

TEST_CASE("what is wrong with a certificate or key is said with its file") {
  const auto& files = Certificates::get();
  const auto begins = [&](const std::string& complaint, const std::string& what, const std::string& file) {
    CAPTURE(complaint);
    const auto expected = what + files.path(file);
    CHECK(complaint.compare(0, expected.size(), expected) == 0);
    CHECK(complaint.find('\n') == std::string::npos);
  };
  CHECK(files.complaint("missing.pem", "key.pem") ==
        "cannot read " + files.path("missing.pem") + ": No such file or directory");
  CHECK(files.complaint("cert.pem", "missing.pem") ==
        "cannot read " + files.path("missing.pem") + ": No such file or directory");
  begins(files.complaint("text.pem", "key.pem"), "cannot use the certificate ", "text.pem: no start line");
  begins(files.complaint("empty.pem", "key.pem"), "cannot use the certificate ", "empty.pem: no start line");
  begins(files.complaint("key.pem", "key.pem"), "cannot use the certificate ", "key.pem: no start line");
  begins(files.complaint("cert.pem", "text.pem"), "cannot use the key ", "text.pem: ");
  begins(files.complaint("cert.pem", "cert.pem"), "cannot use the key ", "cert.pem: ");
}

TEST_CASE("a key that belongs to another certificate is told with both") {
  const auto& files = Certificates::get();
  for (const auto* key : {"other-key.pem", "rsa-key.pem"}) {
    CHECK(files.complaint("cert.pem", key) ==
          "the key " + files.path(key) + " does not belong to the certificate " + files.path("cert.pem"));
  }
}

TEST_CASE("a key behind a pass phrase is an error, not a question on the terminal") {
  const auto& files = Certificates::get();
  CHECK(files.complaint("cert.pem", "locked-key.pem") ==
        "cannot use the key " + files.path("locked-key.pem") +
            ": it is behind a pass phrase (openssl pkey -in KEY -out NEW takes it off)");
}

TEST_CASE("bytes go both ways") {
  Connection connection;
  REQUIRE(connection.shake_hands() == Io::done);
  connection.say("hello");
  CHECK(connection.read() == Io::done);
  CHECK(connection.heard == "hello");
  CHECK(connection.read() == Io::wait_read);
  const std::array<std::string_view, 2> slices{"first", "second"};
  std::size_t written = 0;
  CHECK(connection.server->write(slices.data(), slices.size(), written) == Io::done);
  CHECK(written == 5);
  CHECK(connection.hear() == "first");
}

TEST_CASE("a full socket takes what it can, and the rest later in another buffer") {
  Connection connection;
  REQUIRE(connection.shake_hands() == Io::done);
  std::string bytes;
  for (int i = 0; i < 200'000; ++i) bytes += std::to_string(i) + ",";
  std::size_t sent = 0;
  std::string heard;
  bool waited = false;
  while (sent < bytes.size()) {
    const auto rest = bytes.substr(sent);  // moves from call to call, as an outbox does
    const std::string_view slice = rest;
    std::size_t written = 0;
    const auto outcome = connection.server->write(&slice, 1, written);
    if (outcome == Io::done) {
      sent += written;
      continue;
    }
    REQUIRE(outcome == Io::wait_write);
    waited = true;
    for (std::string part; !(part = connection.hear()).empty();) heard += part;
  }
  while (connection.server->flush() == Io::wait_write) heard += connection.hear();
  for (std::string part; !(part = connection.hear()).empty();) heard += part;
  CHECK(waited);
  CHECK((heard == bytes));  // not shown: it is long
}

TEST_CASE("what counts as written arrives, also when the writer then thinks better of the rest") {
  Connection connection;
  REQUIRE(connection.shake_hands() == Io::done);
  std::string taken;
  std::string heard;
  bool held = false;
  std::size_t written = 0;
  for (int i = 0; i < 2'000; ++i) {
    // A full outbox may give up what waits, and offer something else, shorter or longer.
    const std::string offer(static_cast<std::size_t>(1 + i * 37 % 20'000), static_cast<char>('a' + i % 26));
    const std::string_view slice = offer;
    written = 0;
    const auto outcome = connection.server->write(&slice, 1, written);
    taken += offer.substr(0, written);
    held = held || connection.server->holds_bytes();
    if (outcome == Io::done) continue;
    REQUIRE(outcome == Io::wait_write);
    CHECK(written == 0);
    if (i % 7 == 0) heard += connection.hear();
  }
  while (connection.server->flush() == Io::wait_write) heard += connection.hear();
  CHECK_FALSE(connection.server->holds_bytes());
  for (std::string part; !(part = connection.hear()).empty();) heard += part;
  CHECK(held);
  CHECK((heard == taken));
}

TEST_CASE("both ends are told of the end") {
  Connection connection;
  REQUIRE(connection.shake_hands() == Io::done);
  SUBCASE("the client's") {
    connection.say_goodbye();
    CHECK(connection.read() == Io::closed);
  }
  SUBCASE("a client that just hangs up is no error of ours") {
    connection.hear();  // nothing unread, or the kernel makes a reset of it
    connection.hang_up();
    CHECK(connection.read() == Io::closed);
  }
  SUBCASE("ours") {
    connection.server->finish_writing();
    CHECK(connection.hears_the_end());
  }
}

TEST_CASE("writing to a peer that is gone fails, in a process that ignores SIGPIPE as main() does") {
  std::signal(SIGPIPE, SIG_IGN);
  Connection connection;
  REQUIRE(connection.shake_hands() == Io::done);
  connection.hang_up();
  const std::string_view slice = "hello";
  std::size_t written = 0;
  CHECK(connection.server->write(&slice, 1, written) == Io::failed);
}

TEST_CASE("who does not speak TLS, or an old one, is refused") {
  SUBCASE("plain HTTP") {
    Connection connection;
    connection.send_raw("GET / HTTP/1.1\r\n\r\n");
    CHECK(connection.read() == Io::failed);
  }
  SUBCASE("TLS 1.1") { CHECK(Connection(TLS1_1_VERSION).shake_hands() == Io::failed); }
  SUBCASE("TLS 1.2 is spoken") { CHECK(Connection(TLS1_2_VERSION).shake_hands() == Io::done); }
}

TEST_CASE("a key that everybody can read is refused with the remedy, unless that is meant") {
  const auto& files = Certificates::get();
  TlsSettings settings;
  settings.certificate = files.path("cert.pem");
  settings.key = files.path("open-key.pem");
  std::filesystem::copy_file(files.path("key.pem"), settings.key,
                             std::filesystem::copy_options::overwrite_existing);
  const auto complaint = [&](unsigned mode) {
    std::filesystem::permissions(settings.key, static_cast<std::filesystem::perms>(mode));
    const auto loaded = Certificates::load(settings);
    return loaded ? std::string("none") : loaded.error().message;
  };
  CHECK(complaint(0644).find("the key " + settings.key.string() +
                             " is a secret that others can read (mode 0644)") == 0);
  CHECK(complaint(0604).find("chmod 600") != std::string::npos);
  CHECK(complaint(0602).find("tls.insecure: true") != std::string::npos);
  CHECK(complaint(0660).find("others can change (mode 0660)") != std::string::npos);
  CHECK(complaint(0640) == "none");
  settings.insecure = true;
  CHECK(complaint(0644) == "none");
}

TEST_CASE("what a certificate says of itself") {
  const auto now = static_cast<Micros>(std::time(nullptr)) * 1'000'000;
  const auto context = *Certificates::get().load("cert.pem", "key.pem");
  CHECK(context->certificate().name == "localhost");
  CHECK(context->certificate().from <= now);
  CHECK(context->certificate().until > now + Micros{47} * 3'600 * 1'000'000);
  CHECK(context->certificate().until < now + Micros{49} * 3'600 * 1'000'000);
}

TEST_CASE("a file of client authorities that is none is named") {
  const auto& files = Certificates::get();
  TlsSettings settings;
  settings.certificate = files.path("cert.pem");
  settings.key = files.path("key.pem");
  for (const auto* name : {"missing.pem", "text.pem", "empty.pem"}) {
    settings.client_ca = files.path(name);
    const auto loaded = Certificates::load(settings);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().message.find(settings.client_ca.string()) != std::string::npos);
  }
  settings.client_ca = files.path("cert.pem");
  CHECK(Certificates::load(settings));
}

TEST_CASE("failed handshakes are counted with the last reason") {
  TlsFailures failures;
  failures.add("one");
  failures.add("two");
  const auto report = failures.take();
  CHECK(report.count == 2);
  CHECK(report.last == "two");
  CHECK(failures.take().count == 0);
  CHECK(failures.total() == 2);
}

#include "bridge/store/private_file.h"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <atomic>
#include <thread>

#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;

namespace {
std::string failure(const Result<std::monostate>& result) { return result ? "none" : result.error().message; }
std::string failure(const Result<std::string>& result) { return result ? "none" : result.error().message; }
}  // namespace

TEST_CASE("what is written is read back, byte for byte") {
  const ScratchDirectory scratch;
  const std::string content("a\0b\n", 4);
  CHECK(write_private_file(scratch.file("f"), content).has_value());
  CHECK(read_small_file(scratch.file("f")).value() == content);
  CHECK(write_private_file(scratch.file("f"), "").has_value());
  CHECK(read_small_file(scratch.file("f")).value().empty());
}

TEST_CASE("a private file is its owner's, whatever it was before, and nothing is left beside it") {
  const ScratchDirectory scratch;
  std::filesystem::permissions(scratch.write("f", "old"), std::filesystem::perms(0644));
  CHECK(write_private_file(scratch.file("f"), "new").has_value());
  CHECK(scratch.mode("f") == 0600);
  CHECK(scratch.read("f") == "new");
  CHECK(scratch.listing() == "f");
}

TEST_CASE("what root writes for a service stays readable to it") {
  const ScratchDirectory scratch;
  scratch.write("f", "old");
  scratch.set_mode("f", 0640);
  const bool root = ::geteuid() == 0;
  if (root) REQUIRE(::chown(scratch.file("f").c_str(), 65534, 65533) == 0);
  CHECK(write_private_file(scratch.file("f"), "new").has_value());
  CHECK(scratch.mode("f") == 0640);
  struct stat info {};
  REQUIRE(::stat(scratch.file("f").c_str(), &info) == 0);
  CHECK((!root || (info.st_uid == 65534 && info.st_gid == 65533)));
}

TEST_CASE("a group that could change the old file is not let into the new one") {
  const ScratchDirectory scratch;
  scratch.write("f", "old");
  scratch.set_mode("f", 0660);
  CHECK(write_private_file(scratch.file("f"), "new").has_value());
  CHECK(scratch.mode("f") == 0600);
}

TEST_CASE("a public file is for all to read, unless the old one was not") {
  const ScratchDirectory scratch;
  const auto mode_after = [&](mode_t old) {
    scratch.write("f", "old");
    scratch.set_mode("f", old);
    CHECK(write_public_file(scratch.file("f"), "new").has_value());
    return scratch.mode("f");
  };
  CHECK(write_public_file(scratch.file("f"), "first").has_value());
  CHECK(scratch.mode("f") == 0644);
  CHECK(mode_after(0666) == 0644);
  CHECK(mode_after(0640) == 0640);
  CHECK(mode_after(0600) == 0600);
}

TEST_CASE("a secret is its owner's to change, and at most its group's to read") {
  const ScratchDirectory scratch;
  const auto path = scratch.write("f", "secret");
  const auto fault = [&](mode_t mode) {
    scratch.set_mode("f", mode);
    return fault_of_secret(path).value_or("none");
  };
  for (const mode_t mode : {0600u, 0400u, 0640u, 0440u, 0711u}) CHECK(fault(mode) == "none");
  CHECK(fault(0644) == "is a secret that others can read (mode 0644): chmod 600 " + path.string() +
                           ", or 640 with a group that only its reader is in");
  CHECK(fault(0602).find("is a secret that others can change (mode 0602)") == 0);
  CHECK(fault(0660).find("is a secret that others can change (mode 0660)") == 0);
  CHECK(fault(0666).find("is a secret that others can read and change (mode 0666)") == 0);
  CHECK_FALSE(fault_of_secret(scratch.file("none")));
}

TEST_CASE("a secret belongs to root, to us, or to whom we were told of") {
  if (::geteuid() != 0) return;  // nobody else can give files away
  const ScratchDirectory scratch;
  const auto path = scratch.write("f", "secret");
  REQUIRE(::chown(path.c_str(), 54321, 0) == 0);
  CHECK(
      fault_of_secret(path).value_or("none") ==
      "is a secret that belongs to uid 54321, who is neither root nor the user that trestled runs as: chown "
      "it to root or to that user");
  accept_secrets_of(54321);
  CHECK(fault_of_secret(path).value_or("none") == "none");
  scratch.set_mode("f", 0644);
  CHECK(fault_of_secret(path).value_or("none").find("is a secret that others can read") == 0);
  accept_secrets_of(0);
}

TEST_CASE("a file of rules may be read by all, but not changed") {
  const ScratchDirectory scratch;
  const auto path = scratch.write("f", "rules");
  const auto fault = [&](mode_t mode) {
    scratch.set_mode("f", mode);
    return fault_of_rules(path).value_or("none");
  };
  for (const mode_t mode : {0600u, 0644u, 0664u}) CHECK(fault(mode) == "none");
  CHECK(fault(0646) ==
        "says who is let in, and everybody on this machine can change it (mode 0646): chmod o-w " +
            path.string());
  CHECK_FALSE(fault_of_rules(scratch.file("none")));
}

TEST_CASE("who has the old file open keeps reading the old content, whole") {
  const ScratchDirectory scratch;
  std::ifstream reader(scratch.write("f", "old content"));
  CHECK(write_private_file(scratch.file("f"), "new").has_value());
  std::string line;
  std::getline(reader, line);
  CHECK(line == "old content");
}

TEST_CASE("what a crash left beside the file does not stand in the way") {
  const ScratchDirectory scratch;
  scratch.write("f.new." + std::to_string(::getpid()),
                "half a fi");  // in a container the pid is the same each time
  CHECK(failure(write_private_file(scratch.file("f"), "new")) == "none");
  CHECK(scratch.listing() == "f");
}

TEST_CASE("errors name the path and what the system said") {
  const ScratchDirectory scratch;
  const auto missing = scratch.file("missing/f").string();
  CHECK(failure(read_small_file(missing)) == "cannot read " + missing + ": No such file or directory");
  CHECK(failure(write_private_file(missing, "x")) ==
        "cannot write " + missing + ": No such file or directory");
}

TEST_CASE("only a regular file is read, and nothing else waited for") {
  const ScratchDirectory scratch;
  const auto fault = [&](const std::filesystem::path& path, const std::string& kind) {
    std::filesystem::create_symlink(path, scratch.file("link to " + kind));
    const auto text = ": not a regular file, but " + kind;
    CHECK(failure(read_small_file(path)) == "cannot read " + path.string() + text);
    const auto link = scratch.file("link to " + kind);
    CHECK(failure(read_small_file(link)) == "cannot read " + link.string() + text);
  };
  const auto pipe = scratch.file("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  fault(pipe, "a pipe");
  fault("/dev/zero", "a device");
  fault(scratch.path(), "a folder");
  sockaddr_un address{AF_UNIX, {}};
  const auto path = scratch.file("socket").string();
  REQUIRE(path.copy(address.sun_path, sizeof address.sun_path - 1) == path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  fault(path, "a socket");
  ::close(socket);
}

TEST_CASE("links to a regular file are followed, as container platforms mount secrets") {
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch.file("..one"));
  scratch.write("..one/token", "secret");
  std::filesystem::create_directory_symlink("..one", scratch.file("..data"));
  std::filesystem::create_symlink("..data/token", scratch.file("token"));
  CHECK(read_small_file(scratch.file("token")).value() == "secret");
}

TEST_CASE("a target that can't be replaced stays, and nothing is left beside it") {
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch.file("d"));
  CHECK(failure(write_private_file(scratch.file("d"), "x")) ==
        "cannot write " + scratch.file("d").string() + ": Is a directory");
  CHECK(scratch.listing() == "d");
}

TEST_CASE("a small file is at most 1 MiB") {
  const ScratchDirectory scratch;
  CHECK(read_small_file(scratch.write("fits", std::string(1024 * 1024, 'x'))).has_value());
  const auto big = scratch.write("big", std::string(1024 * 1024 + 1, 'x'));
  CHECK(failure(read_small_file(big)) ==
        "cannot read " + big.string() + ": over 1 MiB, so not what belongs there");
}

TEST_CASE("a file that is written while it is read is not taken for what it will be") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("a", std::string(512 * 1024, 'x'));
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::size_t size = 0; !done; size = (size + 1) % (256 * 1024)) {
      std::filesystem::resize_file(file, 512 * 1024 + size);
    }
  });
  auto read = read_small_file(file);
  while (read) read = read_small_file(file);
  done = true;
  writer.join();
  CHECK(failure(read) == "cannot read " + file.string() +
                             ": it is being written; write another file and rename it over this one");
  CHECK(read_small_file(file).has_value());
}

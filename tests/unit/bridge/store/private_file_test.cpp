#include "bridge/store/private_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

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
  CHECK(failure(read_small_file(scratch.path())) ==
        "cannot read " + scratch.path().string() + ": Is a directory");
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

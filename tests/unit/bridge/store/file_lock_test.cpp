#include "bridge/store/file_lock.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <optional>

#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;
using std::chrono::milliseconds;

namespace {

struct Owner {
  uid_t user;
  gid_t group;
};

Owner owner_of(const std::filesystem::path& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return {info.st_uid, info.st_gid};
}

}  // namespace

TEST_CASE("one has it at a time, and who waits too long is told what to do") {
  const ScratchDirectory scratch;
  const auto file = scratch.file("f");
  std::optional<FileLock> first = std::move(*FileLock::take(file, milliseconds(0)));
  const auto second = FileLock::take(file, milliseconds(30));
  REQUIRE_FALSE(second.has_value());
  const auto lock = file.string() + ".lock";
  CHECK(second.error().message == "cannot change " + file.string() + ": another process holds " + lock +
                                      " for too long (fuser -v " + lock +
                                      " says which): end it, or try again");
  CHECK(FileLock::take(scratch.file("g"), milliseconds(0)).has_value());
  first.reset();
  CHECK(FileLock::take(file, milliseconds(0)).has_value());
}

TEST_CASE("a lock file is for its owner, and for the group of a directory that the group may change") {
  const ScratchDirectory scratch;
  REQUIRE(FileLock::take(scratch.file("f"), milliseconds(0)).has_value());
  CHECK(scratch.mode("f.lock") == 0600);
  REQUIRE(::chmod(scratch.path().c_str(), 0770) == 0);
  REQUIRE(FileLock::take(scratch.file("g"), milliseconds(0)).has_value());
  CHECK(scratch.mode("g.lock") == 0660);
}

TEST_CASE("what root locks first the service can lock too") {
  if (::geteuid() != 0) return;
  const ScratchDirectory scratch;
  REQUIRE(::chown(scratch.write("f", "").c_str(), 65534, 65533) == 0);
  REQUIRE(FileLock::take(scratch.file("f"), milliseconds(0)).has_value());
  CHECK(owner_of(scratch.file("f.lock")).user == 65534);
  REQUIRE(::chown(scratch.file("f").c_str(), 65533, 65533) == 0);  // given to another service since
  REQUIRE(FileLock::take(scratch.file("f"), milliseconds(0)).has_value());
  CHECK(owner_of(scratch.file("f.lock")).user == 65533);
  std::filesystem::create_hard_link(scratch.write("mine", ""), scratch.file("linked.lock"));
  REQUIRE(::chown(scratch.write("linked", "").c_str(), 65534, 0) == 0);
  REQUIRE(FileLock::take(scratch.file("linked"), milliseconds(0)).has_value());
  CHECK(owner_of(scratch.file("mine")).user == 0);
  REQUIRE(::chown(scratch.path().c_str(), 65533, 65534) == 0);
  REQUIRE(::chmod(scratch.path().c_str(), 0770) == 0);
  REQUIRE(FileLock::take(scratch.file("new"), milliseconds(0)).has_value());
  CHECK(owner_of(scratch.file("new.lock")).user == 65533);
  CHECK(owner_of(scratch.file("new.lock")).group == 65534);
}

TEST_CASE("a lock that can't be opened says why; a link is not followed") {
  const ScratchDirectory scratch;
  const auto missing = FileLock::take(scratch.file("no/f"), milliseconds(0));
  REQUIRE_FALSE(missing.has_value());
  const auto file = scratch.file("no/f").string();
  CHECK(missing.error().message ==
        "cannot change " + file + ": cannot open " + file + ".lock: No such file or directory");
  std::filesystem::create_symlink(scratch.write("other", "kept"), scratch.file("f.lock"));
  CHECK_FALSE(FileLock::take(scratch.file("f"), milliseconds(0)).has_value());
}

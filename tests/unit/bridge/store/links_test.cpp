#include "bridge/store/links.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "bridge/store/file_lock.h"
#include "bridge/store/private_file.h"
#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;
namespace fs = std::filesystem;

namespace {

std::string behind(const fs::path& path) {
  const auto found = behind_links(path);
  return found ? found->string() : found.error().message;
}

fs::path link(const ScratchDirectory& scratch, const std::string& name, const fs::path& target) {
  fs::create_symlink(target, scratch.file(name));
  return scratch.file(name);
}

}  // namespace

TEST_CASE("links at the end are followed, relative ones from where they are, to a file that may be missing") {
  const ScratchDirectory scratch;
  fs::create_directory(scratch.file("d"));
  const auto file = scratch.write("d/f", "");
  CHECK(behind(file) == file);
  CHECK(behind(link(scratch, "absolute", file)) == file);
  CHECK(behind(link(scratch, "relative", "d/f")) == file);
  CHECK(behind(link(scratch, "twice", "relative")) == file);
  CHECK(behind(link(scratch, "new", "d/new")) == scratch.file("d/new"));
  CHECK(behind(scratch.file("none")) == scratch.file("none"));
  CHECK(behind("none") == "none");
}

TEST_CASE("a link that leads to itself is an error that names it") {
  const ScratchDirectory scratch;
  const auto loop = link(scratch, "loop", "loop");
  CHECK(behind(loop) ==
        "cannot follow the link " + loop.string() + ": it leads to more than 40 others, or to itself");
}

TEST_CASE("where anybody can put a link, only ours and the directory's owner's are followed") {
  if (::geteuid() != 0) return;  // nobody else can give links away
  const ScratchDirectory scratch;
  fs::create_directory(scratch.file("open"));
  REQUIRE(::chmod(scratch.file("open").c_str(), 01777) == 0);
  const auto file = scratch.write("f", "kept");
  const auto mine = link(scratch, "open/mine", file);
  CHECK(behind(mine) == file);
  const auto planted = link(scratch, "open/planted", file);
  REQUIRE(::lchown(planted.c_str(), 65534, 65534) == 0);
  CHECK(behind(planted) ==
        "cannot follow the link " + planted.string() +
            ": it belongs to uid 65534, in a directory where anybody can put one; name the file itself");
  CHECK_FALSE(write_private_file(planted, "new").has_value());
  CHECK_FALSE(FileLock::take(planted, std::chrono::milliseconds(0)).has_value());
  CHECK(scratch.read("f") == "kept");
  REQUIRE(::chown(scratch.file("open").c_str(), 65534, 65534) == 0);
  CHECK(behind(planted) == file);
  REQUIRE(::chmod(scratch.file("open").c_str(), 0755) == 0);
  REQUIRE(::lchown(planted.c_str(), 65533, 65533) == 0);
  CHECK(behind(planted) == file);
}

TEST_CASE("the file behind a link is replaced, and locked, and the link stays") {
  const ScratchDirectory scratch;
  fs::create_directory(scratch.file("d"));
  const auto file = scratch.write("d/f", "old");
  const auto path = link(scratch, "link", "d/f");
  CHECK(write_private_file(path, "new").has_value());
  CHECK(fs::is_symlink(path));
  CHECK(scratch.read("d/f") == "new");
  CHECK(scratch.mode("d/f") == 0600);
  const auto held = FileLock::take(path, std::chrono::milliseconds(0));
  REQUIRE(held.has_value());
  CHECK_FALSE(FileLock::take(file, std::chrono::milliseconds(0)).has_value());
  CHECK_FALSE(fs::exists(scratch.file("link.lock")));
}

#include "bridge/store/file_watch.h"

#include <doctest/doctest.h>

#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;
namespace fs = std::filesystem;

TEST_CASE("a change is told once, when it has settled") {
  const ScratchDirectory scratch;
  const auto a = scratch.write("a", "1"), b = scratch.file("b");
  FileWatch watch({a, b});
  const auto told = [&] { return watch.changed() ? "at once" : watch.changed() ? "settled" : "never"; };
  CHECK_FALSE(watch.changed());
  CHECK_FALSE(watch.changed());
  SUBCASE("written in place") { scratch.write("a", "22"); }
  SUBCASE("another renamed over it, of the same size") {
    scratch.write("new", "2");
    fs::rename(scratch.file("new"), a);
  }
  SUBCASE("gone") { fs::remove(a); }
  SUBCASE("come") { scratch.write("b", ""); }
  SUBCASE("a link that leads elsewhere now") {
    fs::create_symlink(a, b);
    CHECK(told() == std::string("settled"));
    scratch.write("c", "1");
    fs::remove(b);
    fs::create_symlink(scratch.file("c"), b);
  }
  CHECK(told() == std::string("settled"));
  CHECK(told() == std::string("never"));
}

TEST_CASE("while a file is being written nothing is told") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("a", "");
  FileWatch watch({file});
  for (int i = 1; i < 20; ++i) {
    scratch.write("a", std::string(static_cast<std::size_t>(i), 'x'));
    CHECK_FALSE(watch.changed());
  }
  CHECK(watch.changed());
  CHECK_FALSE(watch.changed());
}

TEST_CASE("who reads the files untold is not told of what was there then") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("a", "");
  FileWatch watch({file});
  scratch.write("a", "1");
  watch.take();
  CHECK_FALSE(watch.changed());
  CHECK_FALSE(watch.changed());
  scratch.write("a", "22");
  CHECK_FALSE(watch.changed());
  CHECK(watch.changed());
}

#include "bridge/store/file_watch.h"

#include <doctest/doctest.h>

#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kLook = FileWatch::kPatience / 2;

/// A watch whose looks come one after another at the right distance.
class Looks {
 public:
  explicit Looks(std::vector<fs::path> files) : watch_(std::move(files)) {}
  std::string look(std::chrono::milliseconds later = kLook) {
    const auto news = watch_.look(now_ += later);
    return news == FileNews::settled ? "settled" : news == FileNews::unsettled ? "unsettled" : "none";
  }
  void take() { watch_.take(); }

 private:
  FileWatch watch_;
  FileWatch::Time now_{};
};

}  // namespace

TEST_CASE("a change is told once, when it has settled") {
  const ScratchDirectory scratch;
  const auto a = scratch.write("a", "1"), b = scratch.file("b");
  Looks watch({a, b});
  const auto told = [&] {
    const auto first = watch.look();
    return first + ", " + watch.look();
  };
  CHECK(told() == "none, none");
  SUBCASE("written in place") { scratch.write("a", "22"); }
  SUBCASE("another renamed over it, of the same size") {
    scratch.write("new", "2");
    fs::rename(scratch.file("new"), a);
  }
  SUBCASE("gone") { fs::remove(a); }
  SUBCASE("come") { scratch.write("b", ""); }
  SUBCASE("a link that leads elsewhere now") {
    fs::create_symlink(a, b);
    CHECK(told() == "none, settled");
    scratch.write("c", "1");
    fs::remove(b);
    fs::create_symlink(scratch.file("c"), b);
  }
  CHECK(told() == "none, settled");
  CHECK(told() == "none, none");
}

TEST_CASE(
    "a file that keeps changing is told of in the end, again and again, and once more when it is still") {
  const ScratchDirectory scratch;
  Looks watch({scratch.write("a", ""), scratch.write("b", "")});
  std::string size;
  const auto next = [&] {
    scratch.write("a", size += 'x');
    return watch.look();
  };
  scratch.write("b", "changed once");  // and what keeps `a` changing does not put it off
  for (int i = 0; i < 3; ++i) {
    CHECK(next() == "none");
    CHECK(next() == "none");
    CHECK(next() == "unsettled");
    CHECK(next() == "none");
    CHECK(next() == "unsettled");
    CHECK(watch.look() == "settled");
    CHECK(watch.look() == "none");
  }
}

TEST_CASE("what was read while it changed is read again, even if it is what it was before") {
  const ScratchDirectory scratch;
  const auto link = scratch.file("link");
  const auto lead_to = [&](const char* name) {
    fs::remove(link);
    fs::create_symlink(scratch.file(name), link);
  };
  for (const char* name : {"a", "b", "c"}) scratch.write(name, name);
  lead_to("a");
  Looks watch({link});
  lead_to("b");
  CHECK(watch.look() == "none");
  lead_to("c");
  CHECK(watch.look() == "none");
  lead_to("b");
  CHECK(watch.look() == "unsettled");
  lead_to("a");
  CHECK(watch.look() == "none");
  CHECK(watch.look() == "settled");
}

TEST_CASE("looks in no time are none: a file that is being written does not look still") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("a", "");
  Looks watch({file});
  scratch.write("a", "1");
  CHECK(watch.look() == "none");
  for (int i = 0; i < 9; ++i) CHECK(watch.look(std::chrono::milliseconds{10}) == "none");
  CHECK(watch.look(std::chrono::milliseconds{10}) == "settled");
}

TEST_CASE("who reads the files untold is not told of what was there then") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("a", "");
  Looks watch({file});
  scratch.write("a", "1");
  watch.take();
  CHECK(watch.look() == "none");
  CHECK(watch.look() == "none");
  scratch.write("a", "22");
  CHECK(watch.look() == "none");
  CHECK(watch.look() == "settled");
}

#pragma once
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace trestle {

/// A directory of a test's own, gone when the test is.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    auto name = (std::filesystem::temp_directory_path() / "trestle-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }

  /// Its mode is 0600, as that of a file with secrets should be.
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(file(name), std::ios::binary) << content;
    set_mode(name, 0600);
    return file(name);
  }
  std::string read(const std::string& name) const {
    std::ostringstream content;
    content << std::ifstream(file(name), std::ios::binary).rdbuf();
    return content.str();
  }
  /// Names of what is in it, joined by blanks.
  std::string listing() const {
    std::string names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names += (names.empty() ? "" : " ") + entry.path().filename().string();
    }
    return names;
  }
  void set_mode(const std::string& name, mode_t mode) const {
    if (::chmod(file(name).c_str(), mode) != 0) throw std::runtime_error("no file " + name);
  }
  unsigned int mode(const std::string& name) const {
    struct stat info {};
    if (::stat(file(name).c_str(), &info) != 0) throw std::runtime_error("no file " + name);
    return info.st_mode & 07777;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace trestle

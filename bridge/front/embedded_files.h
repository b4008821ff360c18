#pragma once
#include <string_view>
#include <vector>

namespace trestle {

/// A file of the page, compiled in.
struct EmbeddedFile {
  std::string_view path;  ///< "/index.html"
  std::string_view content;
};

/// All files of bridge/front/page. Generated; see cmake/EmbedFiles.cmake.
const std::vector<EmbeddedFile>& embedded_files();

}  // namespace trestle

#pragma once
#include <filesystem>

#include "proto/result.h"

namespace trestle {

/// What the symbolic links at the end of `path` lead to, there already or not; `path` itself if it is none.
/// For who replaces a file, for what is renamed onto a link takes the link's place and leaves the file as it
/// was. In a directory where anybody can put a link only those of this process's user and of the directory's
/// owner are followed, as the kernel does for who opens a file (fs.protected_symlinks). Errors name the link.
/// Bound: 40 links, the kernel's.
Result<std::filesystem::path> behind_links(std::filesystem::path path);

}  // namespace trestle

#include "bridge/auth/producer_watch.h"

#include "bridge/log/log.h"

namespace trestle {

Result<std::unique_ptr<ProducerWatch>> ProducerWatch::open(const std::filesystem::path& path) {
  std::unique_ptr<ProducerWatch> watch(new ProducerWatch(path));
  watch->tried_ = watch->seen_ = FileMark::of(path);
  auto list = ProducerList::load(path);
  if (!list) return list.error();
  watch->list_ = std::make_shared<const ProducerList>(std::move(*list));
  return watch;
}

void ProducerWatch::look() {
  const auto mark = FileMark::of(path_);
  const bool settled = mark == seen_;
  seen_ = mark;
  if (settled && mark != tried_) take(mark);
}

void ProducerWatch::reload() {
  seen_ = FileMark::of(path_);
  take(seen_);
}

std::string ProducerWatch::trouble() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return trouble_;
}

void ProducerWatch::take(const FileMark& mark) {
  tried_ = mark;
  auto list = ProducerList::load(path_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    trouble_ = list ? "" : list.error().message;
  }
  if (!list) {
    return log::error("list of producers stays as it was", {{"error", list.error().message}});
  }
  log::info("list of producers read again", {{"file", path_.string()}, {"producers", list->size()}});
  std::atomic_store(&list_, std::make_shared<const ProducerList>(std::move(*list)));
}

}  // namespace trestle

#include "bridge/auth/producer_watch.h"

#include "bridge/log/log.h"

namespace trestle {

Result<std::unique_ptr<ProducerWatch>> ProducerWatch::open(const std::filesystem::path& path) {
  std::unique_ptr<ProducerWatch> watch(new ProducerWatch(path));
  auto list = ProducerList::load(path);
  if (!list) return list.error();
  watch->list_ = std::make_shared<const ProducerList>(std::move(*list));
  return watch;
}

void ProducerWatch::look(FileWatch::Time now) {
  const auto news = file_.look(now);
  if (news == FileNews::settled) take();
  if (news == FileNews::unsettled) take_unsettled();
}

void ProducerWatch::reload() {
  file_.take();
  take();
}

std::string ProducerWatch::trouble() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return trouble_;
}

void ProducerWatch::take() {
  auto list = ProducerList::load(path_);
  if (!list) {
    const std::lock_guard<std::mutex> lock(mutex_);
    trouble_ = list.error().message;
    return log::error("list of producers stays as it was", {{"error", trouble_}});
  }
  log::info("list of producers read again", {{"file", path_.string()}, {"producers", list->size()}});
  put(std::move(*list));
}

// Half of a list is no fault: it will be read again. It is logged once it keeps still.
void ProducerWatch::take_unsettled() {
  if (auto list = ProducerList::load(path_)) put(std::move(*list));
}

void ProducerWatch::put(ProducerList list) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    trouble_.clear();
  }
  std::atomic_store(&list_, std::make_shared<const ProducerList>(std::move(list)));
}

}  // namespace trestle

#include "weights/shared_copy.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "memory/numa.h"
#include "message.h"

namespace native_ddp {
namespace {

/** FNV-1a, to a non-negative number with room for one bit more. */
long HashOf(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211U;
  return static_cast<long>(hash >> 3);
}

/** What a link in /proc/<process>/fd says; empty if it is gone. */
std::string TargetOf(const std::string& link) {
  char target[PATH_MAX];
  const ssize_t length = readlink(link.c_str(), target, sizeof target);
  return length < 0 ? "" : std::string(target, static_cast<std::size_t>(length));
}

}  // namespace

SharedCopy::SharedCopy(const std::string& lock_file, std::string name, WeightListener* listener)
    : name_(std::move(name)),
      lock_(open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)),
      maker_byte_(2 * HashOf(name_)) {
  if (!lock_.open()) {
    const int error = errno;
    throw PlacementRefused(Message("Cannot open ", lock_file, ": ", std::strerror(error)));
  }
  if (!Lock(maker_byte_, F_WRLCK, F_SETLK)) Wait(listener);
  Find();
}

/** A maker that hangs is ended by whoever watches it, and its lock with it. */
void SharedCopy::Wait(WeightListener* listener) const {
  if (listener != nullptr) listener->Waiting(true);
  int error = 0;
  do {
    error = Lock(maker_byte_, F_WRLCK, F_SETLKW) ? 0 : errno;
  } while (error == EINTR);
  if (listener != nullptr) listener->Waiting(false);
  if (error != 0) Fail("wait for", error);
}

bool SharedCopy::Lock(long byte, short type, int command) const {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return fcntl(lock_.number(), command, &lock) == 0;
}

/** A process that ends while it is asked is asked no more; one that has the lock, but not the memory, has another. */
void SharedCopy::Find() {
  int asked = -1;
  while (true) {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = maker_byte_ + 1;
    lock.l_len = 1;
    if (fcntl(lock_.number(), F_GETLK, &lock) != 0) Fail("look for", errno);
    if (lock.l_type == F_UNLCK || lock.l_pid == asked) return;
    asked = lock.l_pid;
    memory_ = OpenThatOf(asked);
    if (memory_.open()) return;
  }
}

Descriptor SharedCopy::OpenThatOf(int process) const {
  const std::string directory = Message("/proc/", process, "/fd");
  const std::unique_ptr<DIR, int (*)(DIR*)> links(opendir(directory.c_str()), closedir);
  if (links == nullptr) {
    if (errno == ENOENT) return Descriptor();
    Fail(Message("ask process ", process, " for").c_str(), errno);
  }
  const std::string wanted = "/memfd:" + name_ + " (deleted)";
  while (const dirent* entry = readdir(links.get())) {
    const std::string link = directory + "/" + entry->d_name;
    if (TargetOf(link) != wanted) continue;
    Descriptor memory(open(link.c_str(), O_RDONLY | O_CLOEXEC));
    if (!memory.open() && errno != ENOENT) Fail(Message("open what process ", process, " has as").c_str(), errno);
    return memory;
  }
  return Descriptor();
}

const Descriptor& SharedCopy::Create() {
  memory_ = Descriptor(memfd_create(name_.c_str(), MFD_CLOEXEC));
  if (!memory_.open()) Fail("create", errno);
  return memory_;
}

SharedCopy::Holding SharedCopy::Publish() && {
  if (!Lock(maker_byte_ + 1, F_RDLCK, F_SETLKW) || !Lock(maker_byte_, F_UNLCK, F_SETLKW)) Fail("publish", errno);
  return {std::move(memory_), std::move(lock_)};
}

void SharedCopy::Fail(const char* action, int error) const {
  throw PlacementRefused(Message("Cannot ", action, " the shared memory ", name_, ": ", std::strerror(error)));
}

}  // namespace native_ddp

#include "weights/weight_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "memory/huge_pages.h"
#include "memory/numa.h"
#include "message.h"

namespace native_ddp {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPiece = 2 << 20;
constexpr std::size_t kSamples = 64;

/** Equal for copies of the same bytes on the same nodes, of processes that find each other in /proc. */
std::string NameOf(const struct stat& file, const std::vector<int>& nodes) {
  struct stat processes{};
  stat("/proc/self/ns/pid", &processes);
  std::string name = Message("glm-tuner weights ", file.st_dev, ":", file.st_ino, " ", file.st_size, " ",
                             file.st_mtim.tv_sec, ".", file.st_mtim.tv_nsec, " pids ", processes.st_ino, " nodes");
  for (const int node : nodes) name += " " + std::to_string(node);
  return name;
}

std::string LockFileBeside(const std::string& path) { return path.substr(0, path.rfind('/') + 1) + "copies.lock"; }

}  // namespace

WeightMemory::WeightMemory(WeightSource source) : source_(std::move(source)) {
  Open();
  if (!source_.copied()) {
    memory_ = Map(file_, PROT_READ);
    if (PrefersMemory()) ReadAhead();
  } else if (source_.shared) {
    Share();
  } else {
    CopyPrivately();
  }
  file_ = Descriptor();
  source_.listener = nullptr;
}

void WeightMemory::Fail(const std::string& reason) const {
  throw std::runtime_error(Message("Cannot read the weight file ", path(), ": ", reason));
}

void WeightMemory::Refuse(const std::string& reason) const {
  throw PlacementRefused(Message("Cannot copy the weight file ", path(), ": ", reason));
}

void WeightMemory::Open() {
  file_ = Descriptor(open(path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!file_.open()) Fail(std::strerror(errno));
  struct stat status{};
  if (fstat(file_.number(), &status) != 0 || !S_ISREG(status.st_mode)) Fail("not a regular file");
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) Fail("it is empty");
}

Mapping WeightMemory::Map(const Descriptor& file, int protection) const {
  void* mapped = mmap(nullptr, size_, protection, MAP_SHARED, file.number(), 0);
  if (mapped == MAP_FAILED) Fail(Message("mapping ", size_, " bytes failed: ", std::strerror(errno)));
  return {mapped, size_};
}

void WeightMemory::CopyPrivately() {
  RequireRoom();
  try {
    memory_ = MapHugePages(size_);
  } catch (const std::bad_alloc&) {
    Refuse(Message("this process cannot have ", size_, " bytes more"));
  }
  Fill();
}

void WeightMemory::Share() {
  struct stat status{};
  fstat(file_.number(), &status);
  SharedCopy copy(LockFileBeside(path()), NameOf(status, source_.nodes), source_.listener);
  if (copy.found().open()) {
    memory_ = Map(copy.found(), PROT_READ);
    CheckNodes();
    holding_ = std::move(copy).Publish();
    return;
  }
  RequireRoom();
  const Descriptor& made = copy.Create();
  if (ftruncate(made.number(), status.st_size) != 0) Refuse(std::strerror(errno));
  memory_ = Map(made, PROT_READ | PROT_WRITE);
  madvise(memory_.data(), memory_.bytes(), MADV_HUGEPAGE);
  Fill();
  holding_ = std::move(copy).Publish();
}

void WeightMemory::RequireRoom() const {
  const std::uint64_t available = AvailableBytes(source_.nodes);
  if (available < size_) {
    Refuse(Message("a copy on ", NodesText(source_.nodes), " needs ", size_, " bytes, available are ", available));
  }
}

void WeightMemory::Fill() const {
  BindMemory(memory_.data(), memory_.bytes(), source_.nodes);
  ReadFile([this](std::size_t done) { return memory_.data() + done; });
  if (mprotect(memory_.data(), memory_.bytes(), PROT_READ) != 0) Fail(std::strerror(errno));
  CheckNodes();
}

void WeightMemory::ReadAhead() const {
  std::vector<std::byte> piece(kPiece);
  ReadFile([&piece](std::size_t) { return piece.data(); });
}

/** Its pages in the page cache may be anywhere, so they do not take the memory that the thread prefers for its own. */
template <class Place>
void WeightMemory::ReadFile(const Place& place) const {
  const WithoutPreference the_file_itself_may_be_anywhere;
  std::size_t done = 0;
  while (done < size_) {
    const ssize_t count = pread(file_.number(), place(done), std::min(kPiece, size_ - done), static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) Fail(Message("at byte ", done, ": ", std::strerror(errno)));
    if (count == 0) Fail(Message("it became shorter while it was read: ", done, " bytes instead of ", size_));
    done += static_cast<std::size_t>(count);
    if (source_.listener != nullptr) source_.listener->Read(static_cast<std::size_t>(count));
  }
}

void WeightMemory::CheckNodes() const {
  for (const int node : SampledNodes()) {
    if (std::find(source_.nodes.begin(), source_.nodes.end(), node) == source_.nodes.end()) {
      Refuse(Message("its copy was bound to ", NodesText(source_.nodes), ", but the kernel has put pages on ",
                     NodesText({node})));
    }
  }
}

std::vector<int> WeightMemory::SampledNodes() const {
  std::vector<int> nodes;
  const std::size_t pages = (size_ + kPage - 1) / kPage;
  const std::size_t samples = std::min(kSamples, pages);
  for (std::size_t i = 0; i < samples; ++i) {
    const std::size_t page = samples == 1 ? 0 : i * (pages - 1) / (samples - 1);
    try {
      nodes.push_back(NodeOf(data() + page * kPage));
    } catch (const std::runtime_error&) {
      if (source_.copied()) throw;
      return {};  // containers may forbid to ask; it is only told
    }
  }
  return nodes;
}

}  // namespace native_ddp

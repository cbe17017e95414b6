#include "process_group/mpi_calls.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "message.h"

namespace native_ddp {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

// Counts of MPI are ints.
constexpr std::int64_t kMostElements = std::int64_t{1} << 30;

constexpr nanoseconds kPolling = microseconds(100);
constexpr nanoseconds kShortestSleep = microseconds(20);
// While ranks are waited for nothing moves; while data moves, each look moves a part of it.
constexpr nanoseconds kLongestSleep = microseconds(1000);
constexpr nanoseconds kLongestSleepWithData = microseconds(100);
constexpr int kWaitPerSleep = 16;  // what is waited for is noticed late by at most this part of the wait

/** Calls part(first, count) for all of [0, total) in parts that MPI can count. */
template <class Part>
void InParts(std::int64_t total, const Part& part) {
  for (std::int64_t first = 0; first < total; first += kMostElements) {
    part(first, static_cast<int>(std::min(kMostElements, total - first)));
  }
}

}  // namespace

MpiCalls::MpiCalls(std::shared_ptr<const MpiLibrary> library, int rank, int world_size)
    : library_(std::move(library)), rank_(rank), world_size_(world_size) {}

std::string MpiCalls::Action(const char* call, std::int64_t bytes) const {
  return Message(call, " ", bytes, " bytes on rank ", rank_, " of ", world_size_);
}

void MpiCalls::Await(MPI_Request& request, nanoseconds longest, const std::string& action) {
  const Clock::time_point start = Clock::now();
  for (;;) {
    int done = 0;
    library_->Check(library_->Test(&request, &done, MPI_STATUS_IGNORE), action);
    if (done != 0) return;
    const nanoseconds waited = Clock::now() - start;
    if (waited > kPolling) std::this_thread::sleep_for(std::clamp(waited / kWaitPerSleep, kShortestSleep, longest));
  }
}

void MpiCalls::AwaitAllRanks(const std::string& action) {
  MPI_Request request = MPI_REQUEST_NULL;
  library_->Check(library_->Ibarrier(MPI_COMM_WORLD, &request), action);
  Await(request, kLongestSleep, action);
}

MpiCalls::Duration MpiCalls::AllReduce(void* data, std::int64_t count, std::size_t element_bytes, MPI_Datatype type,
                                       MPI_Op operation) {
  const auto element = static_cast<std::int64_t>(element_bytes);
  const std::string action = Action("all-reduce", count * element);
  AwaitAllRanks(action);
  const Clock::time_point start = Clock::now();
  InParts(count, [&](std::int64_t first, int elements) {
    MPI_Request request = MPI_REQUEST_NULL;
    library_->Check(library_->Iallreduce(MPI_IN_PLACE, static_cast<char*>(data) + first * element, elements, type,
                                         operation, MPI_COMM_WORLD, &request),
                    action);
    Await(request, kLongestSleepWithData, action);
  });
  return Clock::now() - start;
}

MpiCalls::Duration MpiCalls::Broadcast(void* data, std::int64_t bytes, int root) {
  const std::string action = Action("broadcast", bytes);
  AwaitAllRanks(action);
  const Clock::time_point start = Clock::now();
  InParts(bytes, [&](std::int64_t first, int count) {
    library_->Check(library_->Bcast(static_cast<char*>(data) + first, count, MPI_BYTE, root, MPI_COMM_WORLD), action);
  });
  return Clock::now() - start;
}

MpiCalls::Duration MpiCalls::AllGather(const void* input, std::int64_t bytes, void* const* outputs) {
  const std::string action = Action("all-gather", bytes);
  AwaitAllRanks(action);
  const Clock::time_point start = Clock::now();
  std::vector<char> gathered;
  InParts(bytes, [&](std::int64_t first, int count) {
    const auto part = static_cast<std::size_t>(count);
    gathered.resize(part * static_cast<std::size_t>(world_size_));
    library_->Check(library_->Allgather(static_cast<const char*>(input) + first, count, MPI_BYTE, gathered.data(),
                                        count, MPI_BYTE, MPI_COMM_WORLD),
                    action);
    for (int rank = 0; rank < world_size_; ++rank) {
      std::copy_n(gathered.data() + static_cast<std::size_t>(rank) * part, part,
                  static_cast<char*>(outputs[rank]) + first);
    }
  });
  return Clock::now() - start;
}

MpiCalls::Duration MpiCalls::Barrier() {
  AwaitAllRanks(Action("pass a barrier with", 0));
  return {};
}

}  // namespace native_ddp

#include "process_group/mpi_group.h"

#include <ATen/ops/tensor.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "message.h"
#include "process_group/mpi_backend.h"
#include "process_group/pmi_client.h"
#include "process_group/shared_memory_files.h"
#include "process_group/signal_handlers.h"

namespace native_ddp {
namespace {

std::atomic<bool> initialised_before{false};

/**
 * MPICH before 4.2 may wait in MPI_Finalize for ever where it speaks TCP by UCX: one process waits for an answer of
 * another, which waits for all in the PMI barrier (github.com/pmodels/mpich/pull/6596). All that ranks had to say has
 * been said by then.
 */
constexpr auto kLongestEnd = std::chrono::seconds(2);

c10::intrusive_ptr<c10d::ProcessGroup> MakeProcessGroup(const c10::intrusive_ptr<c10d::Backend>& backend) {
  constexpr auto kType = c10d::ProcessGroup::BackendType::CUSTOM;
  auto group = c10::make_intrusive<c10d::ProcessGroup>(c10::make_intrusive<c10d::HashStore>(), backend->getRank(),
                                                       backend->getSize());
  group->setBackend(c10::DeviceType::CPU, kType, backend);
  group->setDefaultBackend(kType);
  return group;
}

class PendingWork final : public MpiGroup::Pending {
 public:
  explicit PendingWork(c10::intrusive_ptr<c10d::Work> work) : work_(std::move(work)) {}

  double Wait() override {
    work_->wait();
    return work_->getDuration() / 1e3;
  }

 private:
  c10::intrusive_ptr<c10d::Work> work_;
};

}  // namespace

struct MpiGroup::Collectives {
  c10::intrusive_ptr<c10d::Backend> backend;
  c10::intrusive_ptr<c10d::ProcessGroup> group;

  c10::intrusive_ptr<c10d::Work> StartReduction(const at::Tensor& tensor, Reduction reduction) {
    std::vector<at::Tensor> tensors{tensor};
    c10d::AllreduceOptions options;
    options.reduceOp = reduction == Reduction::kSum ? c10d::ReduceOp::SUM : c10d::ReduceOp::MAX;
    return group->allreduce(tensors, options);
  }
};

MpiGroup::MpiGroup(const std::string& library, const std::string& pmi_socket, int rank, int world_size)
    : rank_(rank), world_size_(world_size) {
  if (world_size < 1 || rank < 0 || rank >= world_size) {
    throw std::invalid_argument(
        Message("Invalid rank: ", rank, " (must be from 0 to world size ", world_size, " - 1)"));
  }
  if (initialised_before.exchange(true)) {
    throw std::runtime_error("Cannot join a process group: this process joined one before, and MPI starts only once");
  }
  thread_ = std::make_shared<MpiThread>();
  const std::set<std::string> shared_memory_before = MappedSharedMemoryFiles();
  {
    const SignalHandlers handlers;
    library_ = std::make_shared<const MpiLibrary>(library);
    Initialise(pmi_socket);
  }
  CheckThatTheJvmHandlesSegmentationFaults();
  library_version_ = library_->version();
  const auto backend = c10::make_intrusive<MpiBackend>(library_, thread_, rank, world_size);
  collectives_ = std::make_unique<Collectives>(Collectives{backend, MakeProcessGroup(backend)});
  Barrier();
  UnlinkSharedMemoryFiles(shared_memory_before);
  TestCollectives();
}

MpiGroup::~MpiGroup() = default;

void MpiGroup::Initialise(const std::string& pmi_socket) {
  ConnectPmi(pmi_socket, rank_, world_size_);
  int rank = -1;
  int world_size = -1;
  thread_->Call([&] {
    int provided = MPI_THREAD_SINGLE;
    library_->Check(library_->Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "initialise MPI");
    library_->Check(library_->Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "set the error handler of MPI");
    library_->Check(library_->Comm_rank(MPI_COMM_WORLD, &rank), "ask MPI for the rank");
    library_->Check(library_->Comm_size(MPI_COMM_WORLD, &world_size), "ask MPI for the world size");
    if (provided < MPI_THREAD_FUNNELED) {
      throw std::runtime_error(
          Message("Cannot use the MPI library ", library_->path(), ": it does not allow other threads in the process"));
    }
  });
  if (rank != rank_ || world_size != world_size_) {
    throw std::runtime_error(Message("Cannot join the process group as rank ", rank_, " of ", world_size_, ": ",
                                     library_->version(), " made this process rank ", rank, " of ", world_size));
  }
}

void MpiGroup::TestCollectives() {
  const at::Tensor ranks = at::tensor({1.0, static_cast<double>(rank_)});
  AllReduce(ranks, Reduction::kSum);
  const double* sums = ranks.const_data_ptr<double>();
  const double expected = 0.5 * world_size_ * (world_size_ - 1);
  if (sums[0] != world_size_ || sums[1] != expected) {
    throw std::runtime_error(Message("Cannot use the process group: on rank ", rank_, " of ", world_size_,
                                     " an all-reduce of ones and ranks gave ", sums[0], " and ", sums[1],
                                     " instead of ", world_size_, " and ", expected));
  }
}

MpiGroup::Collectives& MpiGroup::Open(const char* action) const {
  if (collectives_ == nullptr) throw std::runtime_error(Message("Cannot ", action, ": the process group is closed"));
  return *collectives_;
}

void MpiGroup::AllReduce(const at::Tensor& tensor, Reduction reduction) {
  Open("all-reduce").StartReduction(tensor, reduction)->wait();
}

void MpiGroup::Broadcast(const at::Tensor& tensor, int root) {
  std::vector<at::Tensor> tensors{tensor};
  c10d::BroadcastOptions options;
  options.rootRank = root;
  Open("broadcast").group->broadcast(tensors, options)->wait();
}

void MpiGroup::Barrier() { Open("pass a barrier").group->barrier()->wait(); }

std::unique_ptr<MpiGroup::Pending> MpiGroup::StartSum(const at::Tensor& tensor) {
  return std::make_unique<PendingWork>(Open("all-reduce").StartReduction(tensor, Reduction::kSum));
}

void MpiGroup::Close() {
  Barrier();
  collectives_.reset();
  const bool finalised =
      thread_->CallWithin(kLongestEnd, [library = library_] { library->Check(library->Finalize(), "finalise MPI"); });
  if (!finalised) LeaveAsItIs();
}

void MpiGroup::LeaveAsItIs() {
  std::cerr << "MPI_Finalize of " << library_version_ << " does not come to its end; rank " << rank_ << " of "
            << world_size_ << " leaves the group without it" << std::endl;
  static const auto* const never_joined = new std::shared_ptr<MpiThread>(thread_);
  static_cast<void>(never_joined);
  // The last to be registered is the first to be run: before libraries clear away what the thread still uses.
  on_exit([](int status, void*) { _exit(status); }, nullptr);
}

}  // namespace native_ddp

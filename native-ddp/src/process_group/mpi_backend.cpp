#include "process_group/mpi_backend.h"

#include <ATen/ops/empty.h>

#include <stdexcept>
#include <utility>

#include "message.h"

namespace native_ddp {
namespace {

class MpiWork final : public c10d::Work {
 public:
  MpiWork(int rank, c10d::OpType type, std::vector<at::Tensor> results)
      : Work(rank, type),
        results_(std::move(results)),
        future_(c10::make_intrusive<c10::ivalue::Future>(c10::ListType::create(c10::TensorType::get()))) {}

  std::vector<at::Tensor> result() override { return results_; }
  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override { return future_; }

  /** In milliseconds, once completed; see MpiCalls::Duration. */
  float getDuration() const override { return milliseconds_; }

  /** The future first: whom finish() wakes may look at it. */
  void Complete(MpiCalls::Duration duration, const std::exception_ptr& failure) {
    milliseconds_ = std::chrono::duration<float, std::milli>(duration).count();
    if (failure != nullptr) {
      future_->setError(failure);
    } else {
      future_->markCompleted(c10::IValue(results_));
    }
    finish(failure);
  }

 private:
  std::vector<at::Tensor> results_;
  c10::intrusive_ptr<c10::ivalue::Future> future_;
  float milliseconds_ = 0;
};

const at::Tensor& Only(const std::vector<at::Tensor>& tensors) {
  if (tensors.size() != 1) {
    throw std::invalid_argument(Message("Invalid tensors of a collective: ", tensors.size(), " (must be one)"));
  }
  const at::Tensor& tensor = tensors[0];
  if (!tensor.device().is_cpu() || !tensor.is_contiguous()) {
    throw std::invalid_argument(Message("Invalid tensor of a collective: ", tensor.toString(), " ", tensor.sizes(),
                                        " (must be contiguous on the CPU)"));
  }
  return tensor;
}

MPI_Datatype TypeOf(const at::Tensor& tensor, MPI_Datatype bfloat16) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return MPI_FLOAT;
    case at::kDouble:
      return MPI_DOUBLE;
    case at::kBFloat16:
      return bfloat16;
    case at::kInt:
      return MPI_INT32_T;
    case at::kLong:
      return MPI_INT64_T;
    case at::kByte:
      return MPI_UINT8_T;
    default:
      throw std::invalid_argument(Message("Invalid tensor to all-reduce: ", tensor.toString(),
                                          " (FP64, FP32, BF16 and integers are possible)"));
  }
}

MPI_Op OperationOf(const c10d::ReduceOp& operation, const at::Tensor& tensor, MPI_Op bfloat16_sum) {
  const bool bfloat16 = tensor.scalar_type() == at::kBFloat16;
  switch (operation) {
    case c10d::ReduceOp::SUM:
      return bfloat16 ? bfloat16_sum : MPI_SUM;
    case c10d::ReduceOp::MAX:
      if (!bfloat16) return MPI_MAX;
      break;
    case c10d::ReduceOp::MIN:
      if (!bfloat16) return MPI_MIN;
      break;
    default:
      break;
  }
  throw std::invalid_argument(Message("Invalid reduction of ", tensor.toString(), ": ",
                                      static_cast<int>(static_cast<c10d::ReduceOp::RedOpType>(operation)),
                                      " (sums, and maxima and minima but of BF16, are possible)"));
}

/** MPI has no BF16: pairs of bytes, added by this. */
void SumBfloat16(void* from, void* to, int* count, MPI_Datatype*) {
  const auto* addends = static_cast<const c10::BFloat16*>(from);
  auto* sums = static_cast<c10::BFloat16*>(to);
  for (int i = 0; i < *count; ++i) sums[i] = static_cast<float>(sums[i]) + static_cast<float>(addends[i]);
}

}  // namespace

MpiBackend::MpiBackend(const std::shared_ptr<const MpiLibrary>& library, std::shared_ptr<MpiThread> thread, int rank,
                       int world_size)
    : Backend(rank, world_size), calls_(library, rank, world_size), thread_(std::move(thread)) {
  thread_->Call([this, &library] {
    library->Check(library->Type_contiguous(2, MPI_BYTE, &bfloat16_), "create an MPI type");
    library->Check(library->Type_commit(&bfloat16_), "create an MPI type");
    library->Check(library->Op_create(SumBfloat16, 1, &bfloat16_sum_), "create an MPI operation");
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::Post(c10d::OpType type, std::vector<at::Tensor> results,
                                                std::function<MpiCalls::Duration()> task) {
  auto work = c10::make_intrusive<MpiWork>(rank_, type, std::move(results));
  thread_->Post([work, task = std::move(task)] {
    MpiCalls::Duration duration{};
    std::exception_ptr failure;
    try {
      duration = task();
    } catch (...) {
      failure = std::current_exception();
    }
    work->Complete(duration, failure);
  });
  return work;
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allreduce(std::vector<at::Tensor>& tensors,
                                                     const c10d::AllreduceOptions& options) {
  const at::Tensor tensor = Only(tensors);
  const MPI_Datatype type = TypeOf(tensor, bfloat16_);
  const MPI_Op operation = OperationOf(options.reduceOp, tensor, bfloat16_sum_);
  return Post(c10d::OpType::ALLREDUCE, {tensor}, [this, tensor, type, operation] {
    return calls_.AllReduce(tensor.mutable_data_ptr(), tensor.numel(), tensor.element_size(), type, operation);
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::broadcast(std::vector<at::Tensor>& tensors,
                                                     const c10d::BroadcastOptions& options) {
  const at::Tensor tensor = Only(tensors);
  const auto root = static_cast<int>(options.rootRank);
  if (root < 0 || root >= size_) {
    throw std::invalid_argument(Message("Invalid root of a broadcast: ", root, " (must be from 0 to ", size_ - 1, ")"));
  }
  return Post(c10d::OpType::BROADCAST, {tensor}, [this, tensor, root] {
    return calls_.Broadcast(tensor.mutable_data_ptr(), static_cast<std::int64_t>(tensor.nbytes()), root);
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allgather(std::vector<std::vector<at::Tensor>>& outputs,
                                                     std::vector<at::Tensor>& inputs, const c10d::AllgatherOptions&) {
  const at::Tensor input = Only(inputs);
  if (outputs.size() != 1 || outputs[0].size() != static_cast<std::size_t>(size_)) {
    throw std::invalid_argument(
        Message("Invalid outputs of an all-gather (must be one for each of ", size_, " ranks)"));
  }
  const std::vector<at::Tensor> results = outputs[0];
  std::vector<void*> gathered;
  for (const at::Tensor& result : results) {
    if (Only({result}).nbytes() != input.nbytes()) {
      throw std::invalid_argument(Message("Invalid output of an all-gather: ", result.nbytes(),
                                          " bytes (must be the input's ", input.nbytes(), ")"));
    }
    gathered.push_back(result.mutable_data_ptr());
  }
  return Post(c10d::OpType::ALLGATHER, results, [this, input, gathered] {
    return calls_.AllGather(input.const_data_ptr(), static_cast<std::int64_t>(input.nbytes()), gathered.data());
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::barrier(const c10d::BarrierOptions&) {
  return Post(c10d::OpType::BARRIER, {}, [this] { return calls_.Barrier(); });
}

}  // namespace native_ddp

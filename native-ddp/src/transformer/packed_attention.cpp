#include "transformer/packed_attention.h"

#include <algorithm>

#include "transformer/row_kernels.h"

// H hidden, N heads, D head size, P prefix length.
namespace native_ddp {

PackedAttention::PackedAttention(Workspace& workspace)
    : workspace_(workspace), scratch_(static_cast<std::size_t>(workspace.pool.threads())) {}

void PackedAttention::Queries::Clear() {
  begin.assign(1, 0);
  visible.clear();
}

void PackedAttention::Queries::Add(const PackedSample& sample, int row) {
  visible.push_back(VisibleRows(row - sample.begin, sample.context_length));
}

void PackedAttention::Begin(const PackedBatch& batch, const std::vector<int>& last_queries, const Prefix& prefix,
                            const PrefixDropout& dropout) {
  batch_ = &batch;
  all_queries_.Clear();
  last_queries_.Clear();
  auto last = last_queries.begin();
  for (const PackedSample& sample : batch.samples) {
    const int end = sample.begin + sample.length;
    for (int row = sample.begin; row < end; ++row) all_queries_.Add(sample, row);
    for (; last != last_queries.end() && *last < end; ++last) last_queries_.Add(sample, *last);
    all_queries_.EndSample();
    last_queries_.EndSample();
  }
  prefix_ = prefix;
  std::vector<std::int64_t> entries;
  entries.reserve(batch.samples.size());
  for (const PackedSample& sample : batch.samples) entries.push_back(sample.entry);
  const std::int64_t elements = std::int64_t{prefix.length} * workspace_.dimensions().hidden;
  masks_.Make(dropout, entries, 2 * workspace_.dimensions().layers, elements, workspace_.pool, workspace_.progress);
}

StridedInput PackedAttention::DroppedPrefix(int layer, int key_or_value, int sample, int head, Scratch& scratch) const {
  const int hidden = workspace_.dimensions().hidden;
  const int head_size = workspace_.dimensions().head_size();
  const std::int64_t column = std::int64_t{head} * head_size;
  const float* whole = prefix_.data + prefix_.Offset(layer, key_or_value, hidden);
  if (!masks_.active()) return {whole + column, hidden};
  const std::int64_t size = std::int64_t{prefix_.length} * head_size;
  float* dropped = scratch.prefix.Ensure(static_cast<std::size_t>(2 * size)) + key_or_value * size;
  const std::uint64_t* bits = masks_.bits(sample, layer, key_or_value);
  for (int p = 0; p < prefix_.length; ++p) {
    const std::int64_t at = std::int64_t{p} * hidden + column;
    Mask(head_size, whole + at, bits, at, masks_.scale(), dropped + std::int64_t{p} * head_size);
  }
  return {dropped, head_size};
}

AttentionHead PackedAttention::Head(int layer, int sample_index, int head, const float* query_key_value,
                                    Scratch& scratch) const {
  const PackedSample& sample = batch_->samples[static_cast<std::size_t>(sample_index)];
  const Queries& queries = QueriesOf(layer);
  const int first = queries.begin[static_cast<std::size_t>(sample_index)];
  const int hidden = workspace_.dimensions().hidden;
  const std::int64_t leading = std::int64_t{3} * hidden;
  const int head_size = workspace_.dimensions().head_size();
  const float* column = query_key_value + std::int64_t{head} * head_size;
  const float* key = column + sample.begin * leading + hidden;
  AttentionHead result{head_size,
                       queries.begin[static_cast<std::size_t>(sample_index) + 1] - first,
                       queries.visible.data() + first,
                       {column + first * leading, leading},
                       sample.length,
                       {key, leading},
                       {key + hidden, leading},
                       prefix_.length,
                       {nullptr, hidden},
                       {nullptr, hidden}};
  if (prefix_.length > 0) {
    result.prefix_key = DroppedPrefix(layer, 0, sample_index, head, scratch);
    result.prefix_value = DroppedPrefix(layer, 1, sample_index, head, scratch);
  }
  return result;
}

void PackedAttention::Forward(int layer, const float* query_key_value, float* context, float* log_sums) {
  const ModelDimensions& size = workspace_.dimensions();
  const auto samples = static_cast<std::int64_t>(batch_->samples.size());
  const Queries& queries = QueriesOf(layer);
  workspace_.pool.ForEach(samples * size.heads, 1, [&](std::int64_t begin, std::int64_t end, int thread) {
    Scratch& scratch = scratch_[static_cast<std::size_t>(thread)];
    for (std::int64_t i = begin; i < end; ++i) {
      const auto sample = static_cast<int>(i / size.heads);
      const auto head = static_cast<int>(i % size.heads);
      const std::int64_t row = queries.begin[static_cast<std::size_t>(sample)];
      float* head_log_sums = log_sums == nullptr ? nullptr : log_sums + row * size.heads + head;
      Attend(Head(layer, sample, head, query_key_value, scratch),
             {context + row * size.hidden + head * size.head_size(), size.hidden}, head_log_sums, size.heads,
             scratch.attention);
      workspace_.progress.fetch_add(1, std::memory_order_relaxed);
    }
  });
}

void PackedAttention::Backward(int layer, const float* query_key_value, const float* context_gradient,
                               const float* log_sums, float* query_key_value_gradient, float* gradient) {
  const ModelDimensions& size = workspace_.dimensions();
  const int hidden = size.hidden;
  const int head_size = size.head_size();
  const std::int64_t leading = std::int64_t{3} * hidden;
  const std::int64_t prefix_size = std::int64_t{prefix_.length} * head_size;
  const Queries& queries = QueriesOf(layer);
  float* whole[2] = {gradient + prefix_.Offset(layer, 0, hidden), gradient + prefix_.Offset(layer, 1, hidden)};
  // A thread owns whole heads, so that a head's prefix gradient is summed over the samples in order, by one thread.
  workspace_.pool.ForEach(size.heads, 1, [&](std::int64_t begin, std::int64_t end, int thread) {
    Scratch& scratch = scratch_[static_cast<std::size_t>(thread)];
    for (auto head = static_cast<int>(begin); head < static_cast<int>(end); ++head) {
      const std::int64_t column = std::int64_t{head} * head_size;
      for (int index = 0; index < static_cast<int>(batch_->samples.size()); ++index) {
        const std::int64_t row = queries.begin[static_cast<std::size_t>(index)];
        AttentionGradients gradients{
            {whole[0] + column, hidden}, {whole[1] + column, hidden}, {nullptr, 0}, {nullptr, 0}, {nullptr, 0}};
        if (query_key_value_gradient != nullptr) {
          const std::int64_t own = batch_->samples[static_cast<std::size_t>(index)].begin;
          float* key = query_key_value_gradient + own * leading + column + hidden;
          gradients.query = {query_key_value_gradient + row * leading + column, leading};
          gradients.key = {key, leading};
          gradients.value = {key + hidden, leading};
        }
        if (masks_.active()) {
          float* dropped = scratch.gradient.Ensure(static_cast<std::size_t>(2 * prefix_size));
          std::fill_n(dropped, 2 * prefix_size, 0.0F);
          gradients.prefix_key = {dropped, head_size};
          gradients.prefix_value = {dropped + prefix_size, head_size};
        }
        AttendBackward(Head(layer, index, head, query_key_value, scratch),
                       {context_gradient + row * hidden + column, hidden}, log_sums + row * size.heads + head,
                       size.heads, gradients, scratch.attention);
        if (masks_.active()) {
          const float* dropped = scratch.gradient.data();
          for (int k = 0; k < 2; ++k) {
            const std::uint64_t* bits = masks_.bits(index, layer, k);
            for (int p = 0; p < prefix_.length; ++p, dropped += head_size) {
              const std::int64_t at = std::int64_t{p} * hidden + column;
              MaskAndAdd(head_size, dropped, bits, at, masks_.scale(), whole[k] + at);
            }
          }
        }
        workspace_.progress.fetch_add(1, std::memory_order_relaxed);
      }
    }
  });
}

}  // namespace native_ddp

package org.glmtuner.executor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.CpuList;

/**
 * Who is which rank. Every task computes the same plan from the same facts: ranks in the order of
 * host, node, socket and first CPU, so that neighbours in rank are neighbours in memory whatever
 * executor Spark chose for a partition.
 */
record RankPlan(List<Facts> ranks) {

  /**
   * What a task contributes by the stage's all-gather.
   *
   * @param limits of the memory that its rank can get
   */
  record Facts(int partition, HostIdentity host, CpuGroup group, List<MemoryLimit> limits) {
    private static final String SEPARATOR = "\t";
    private static final int FIELDS = 7;

    String encode() {
      List<String> fields = new ArrayList<>();
      fields.add(Integer.toString(partition));
      fields.add(host.name());
      fields.add(host.node());
      fields.add(Integer.toString(group.socket()));
      fields.add(CpuList.format(group.cpus()));
      fields.add(CpuList.format(group.claimed()));
      fields.add(CpuList.format(group.nodes()));
      limits.forEach(limit -> fields.add(limit.encode()));
      return String.join(SEPARATOR, fields);
    }

    static Facts decode(String text) {
      String[] fields = text.split(SEPARATOR, -1);
      if (fields.length < FIELDS) {
        throw new IllegalArgumentException(
            "Invalid facts of a task: " + text + " (seven fields and limits are expected)");
      }
      return new Facts(
          Integer.parseInt(fields[0]),
          new HostIdentity(fields[1], fields[2]),
          new CpuGroup(
              Integer.parseInt(fields[3]),
              CpuList.parse(fields[4]),
              CpuList.parse(fields[5]),
              CpuList.parse(fields[6])),
          Arrays.stream(fields).skip(FIELDS).map(MemoryLimit::decode).toList());
    }
  }

  static RankPlan of(String[] gathered) {
    List<Facts> ranks = new ArrayList<>(Arrays.stream(gathered).map(Facts::decode).toList());
    ranks.sort(
        Comparator.<Facts, String>comparing(facts -> facts.host().name())
            .thenComparing(facts -> facts.host().node())
            .thenComparing(facts -> facts.group().socket())
            .thenComparing(facts -> facts.group().cpus().get(0))
            .thenComparing(Facts::partition));
    return new RankPlan(List.copyOf(ranks));
  }

  int worldSize() {
    return ranks.size();
  }

  int rankOfPartition(int partition) {
    for (int rank = 0; rank < ranks.size(); rank++) {
      if (ranks.get(rank).partition() == partition) {
        return rank;
      }
    }
    throw new IllegalArgumentException(
        "Invalid partition: " + partition + " (none of the " + ranks.size() + " tasks has it)");
  }

  /**
   * The group as PMI describes it to the library.
   *
   * @param name unused before on these hosts
   */
  PmiServer.Group group(String name) {
    return new PmiServer.Group(worldSize(), "kvs-" + name, processMapping());
  }

  /**
   * PMI's {@code PMI_process_mapping}: blocks (node, nodes, processes) that are consumed rank by
   * rank. Triples only: the shorter form of newer libraries crashes older ones.
   */
  String processMapping() {
    Map<String, Integer> nodes = new TreeMap<>();
    StringBuilder mapping = new StringBuilder("(vector");
    int rank = 0;
    while (rank < ranks.size()) {
      String node = ranks.get(rank).host().node();
      int first = rank;
      while (rank < ranks.size() && ranks.get(rank).host().node().equals(node)) {
        rank++;
      }
      Integer number = nodes.putIfAbsent(node, nodes.size());
      mapping
          .append(",(")
          .append(number == null ? nodes.size() - 1 : number)
          .append(",1,")
          .append(rank - first)
          .append(')');
    }
    return mapping.append(')').toString();
  }
}

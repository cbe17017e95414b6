package org.glmtuner.topology;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.StreamSupport;
import org.glmtuner.topology.Topology.Core;
import org.glmtuner.topology.Topology.CpuCluster;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/**
 * Reads what {@code glm-topology} prints.
 *
 * <pre>{@code
 * {"hwloc": "2.9.0",
 *  "clusters": [{"socket": 0, "nodes": [0, 8], "cores": [{"cpus": [0, 64], "cache": 0}, …]}, …],
 *  "memory": [{"node": 0, "bytes": 68719476736, "kind": "dram", "bandwidth": 76800000000, "cache_bytes": 0}, …]}
 * }</pre>
 */
final class TopologyJson {
  private TopologyJson() {}

  /**
   * Reads one object.
   *
   * @throws IllegalArgumentException if it is not such an object
   */
  static Topology parse(String text) {
    try {
      JsonObject host = JsonParser.parseString(text).getAsJsonObject();
      return new Topology(
          list(host.getAsJsonArray("clusters"), TopologyJson::cluster),
          list(host.getAsJsonArray("memory"), TopologyJson::node));
    } catch (JsonParseException
        | IllegalStateException
        | NullPointerException
        | UnsupportedOperationException
        | NumberFormatException e) {
      throw new IllegalArgumentException(
          "Invalid topology: " + text.strip() + " (" + e.getMessage() + ")", e);
    }
  }

  private static CpuCluster cluster(JsonElement element) {
    JsonObject cluster = element.getAsJsonObject();
    return new CpuCluster(
        cluster.get("socket").getAsInt(),
        list(cluster.getAsJsonArray("cores"), TopologyJson::core),
        list(cluster.getAsJsonArray("nodes"), JsonElement::getAsInt));
  }

  private static Core core(JsonElement element) {
    JsonObject core = element.getAsJsonObject();
    return new Core(
        list(core.getAsJsonArray("cpus"), JsonElement::getAsInt), core.get("cache").getAsInt());
  }

  private static MemoryNode node(JsonElement element) {
    JsonObject node = element.getAsJsonObject();
    return new MemoryNode(
        node.get("node").getAsInt(),
        node.get("bytes").getAsLong(),
        Kind.valueOf(node.get("kind").getAsString().toUpperCase(Locale.ROOT)),
        node.get("bandwidth").getAsLong(),
        node.get("cache_bytes").getAsLong());
  }

  private static <T> List<T> list(JsonArray array, Function<JsonElement, T> read) {
    return StreamSupport.stream(array.spliterator(), false).map(read).toList();
  }
}

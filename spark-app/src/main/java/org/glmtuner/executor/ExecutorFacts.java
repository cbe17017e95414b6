package org.glmtuner.executor;

import java.io.Serializable;
import org.glmtuner.topology.Topology;

/**
 * What an executor says of itself when it starts.
 *
 * @param node equal for executors whose ranks share CPUs; see {@link HostIdentity}
 * @param topology what the executor may use; null where it could not be read
 * @param cpuTime of so many CPUs is granted by its control group; infinite without a limit
 * @param problem why there is no topology; empty if there is one
 */
public record ExecutorFacts(
    String executor, String node, Topology topology, double cpuTime, String problem)
    implements Serializable {}

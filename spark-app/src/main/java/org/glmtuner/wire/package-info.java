/**
 * What task and rank say to each other over the rank's Unix socket: versioned frames of
 * Kryo-encoded records.
 */
package org.glmtuner.wire;

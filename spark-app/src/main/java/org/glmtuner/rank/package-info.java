/**
 * The rank process: joins the group, computes steps, hands out metrics and snapshots. No Spark, no
 * Hadoop, no credentials.
 */
package org.glmtuner.rank;

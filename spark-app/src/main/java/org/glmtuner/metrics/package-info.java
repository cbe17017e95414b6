/** The record of each logged step. */
package org.glmtuner.metrics;

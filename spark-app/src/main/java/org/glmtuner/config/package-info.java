/**
 * The configuration as validated values, read once at the edge from Typesafe Config; every problem
 * is reported at once.
 */
package org.glmtuner.config;

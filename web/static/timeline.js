// The line of now and the bars of what runs move on, also while nothing changes in the cluster.
import { refresh } from "./live.js";

setInterval(refresh, 5000);

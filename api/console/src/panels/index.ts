// The panels of the page. Each adds itself; a new one needs a line here.
import "./emergency";
import "./meals";
import "./zones";
import "./rounds";
import "./settings";

<?php
throw new Exception('nobody catches this');
